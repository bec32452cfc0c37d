"""Work: the hub's work as jobs, for any number of workers on one PostgreSQL. The only home of procrastinate.

`tasks` is the work itself, and the WorkQueue port; `queue` is the port over procrastinate, where jobs go with
the transaction that makes them due, and `in_process` the one for a process that does all by itself, on any
database. `jobs` says how jobs are run, `worker` is a process that runs them, `schema` makes the queue's
tables. What a job does is decided by rows: the queue only says when to look.
"""
