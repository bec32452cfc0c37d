"""Work: the hub's work as jobs, for any number of workers on one PostgreSQL. The only home of procrastinate.

`tasks` is the work itself and knows no queue; `queue` puts jobs down in the transaction that makes them due;
`jobs` says how they are run; `worker` is a process that runs them; `schema` makes the queue's tables. What a
job does is decided by rows: the queue only says when to look.
"""
