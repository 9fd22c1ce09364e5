-- The log: insert-only tables, one row for each event and one for its body. The header of a record is the JSON array that
-- its digest covers, kept as it was hashed, so that nothing is ever hashed that was encoded a second time. Bodies lie in
-- a table of their own, because they alone can ever be purged. Vectors lie beside the log, because many procedures share
-- one text. The view "events" is the log by columns, for whoever opens the file with DuckDB.

create table log (
    log_id varchar not null primary key,
    created_at bigint not null
);

create table records (
    position bigint not null primary key,
    header varchar not null,
    digest blob not null
);

create table bodies (
    position bigint not null primary key,
    salt blob not null,
    body blob not null
);

create table vectors (
    embedder varchar not null,
    text blob not null,
    vector blob not null
);

-- The places in the array are the format: "memp/record.py" says what each holds.
create view events as
select
    header ->> 1 as log_id,
    position,
    header ->> 3 as event_id,
    header ->> 4 as branch,
    header ->> 5 as stream,
    (header ->> 6)::bigint as version,
    header ->> 7 as type,
    (header ->> 8)::integer as schema,
    (header ->> 9)::bigint as recorded_at,
    (header ->> 10)::bigint as clock_at,
    header ->> 11 as actor,
    header ->> 12 as cause,
    header ->> 13 as key,
    (header -> 14)::varchar[] as derived_from,
    (header -> 15)::varchar[] as read,
    header ->> 16 as batch,
    (header ->> 17)::integer as batch_size,
    from_base64(header ->> 18) as body_digest,
    from_base64(header ->> 19) as previous,
    digest
from records;

-- A row that is never allowed: inserting one is how a trigger refuses a statement.
create table refused (
    statement varchar not null check (statement is null)
);

create trigger log_no_update before update on log for each statement insert into refused values ('update');
create trigger log_no_delete before delete on log for each statement insert into refused values ('delete');
create trigger records_no_update before update on records for each statement insert into refused values ('update');
create trigger records_no_delete before delete on records for each statement insert into refused values ('delete');
create trigger bodies_no_update before update on bodies for each statement insert into refused values ('update');
create trigger bodies_no_delete before delete on bodies for each statement insert into refused values ('delete');
create trigger vectors_no_update before update on vectors for each statement insert into refused values ('update');
create trigger vectors_no_delete before delete on vectors for each statement insert into refused values ('delete');
