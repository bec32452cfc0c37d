"""Receiving: the files of partners' mailboxes are listed, fetched, kept and moved.

`receive` goes over the mailboxes, `taking` is the way of one batch, `batches` says which files make one,
`sightings` when a file is settled, `leftovers` what stays and why, and `shelf` keeps bytes in the database.
"""
