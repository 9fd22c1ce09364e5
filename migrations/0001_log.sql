-- The log: insert-only tables, one row for each event. The columns stand in the order in which a record is hashed.
-- Bodies lie in a table of their own, because they alone can ever be purged. Vectors lie beside the log, because many
-- procedures share one text.

create table log (
    log_id varchar not null primary key,
    created_at bigint not null
);

create table events (
    log_id varchar not null,
    position bigint not null primary key,
    event_id varchar not null,
    branch varchar not null,
    stream varchar not null,
    version bigint not null,
    type varchar not null,
    schema integer not null,
    recorded_at bigint not null,
    clock_at bigint not null,
    actor varchar not null,
    cause varchar,
    key varchar,
    derived_from varchar[] not null,
    read varchar[] not null,
    batch varchar not null,
    batch_size integer not null,
    body_digest blob not null,
    previous blob not null,
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

-- A row that is never allowed: inserting one is how a trigger refuses a statement.
create table refused (
    statement varchar not null check (statement is null)
);

create trigger log_no_update before update on log for each statement insert into refused values ('update');
create trigger log_no_delete before delete on log for each statement insert into refused values ('delete');
create trigger events_no_update before update on events for each statement insert into refused values ('update');
create trigger events_no_delete before delete on events for each statement insert into refused values ('delete');
create trigger bodies_no_update before update on bodies for each statement insert into refused values ('update');
create trigger bodies_no_delete before delete on bodies for each statement insert into refused values ('delete');
create trigger vectors_no_update before update on vectors for each statement insert into refused values ('update');
create trigger vectors_no_delete before delete on vectors for each statement insert into refused values ('delete');
