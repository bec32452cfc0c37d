"""The app: server-rendered pages over the same ledger, for partners' people and for the hub's own.

`visitors` knows who is signed in, and checks every form that is sent; `rendering` fills templates/web;
`site` puts the pages together. A page's routes are thin, as the API's are, and change something only by
`desk`, which the API uses too. No page needs a script.
"""
