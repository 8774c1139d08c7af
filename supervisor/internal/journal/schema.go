package journal

// migrations lead from an empty file to the present schema; the schema number is how many
// of them a file has seen. One that was released is never changed: a new one is added.
var migrations = []migration{{name: "first", sql: schema1}}

const schema1 = `
CREATE TABLE inbox (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  channel       TEXT NOT NULL,
  account       TEXT NOT NULL,
  event_key     TEXT NOT NULL,
  kind          TEXT NOT NULL,
  conversation  TEXT NOT NULL,
  thread        TEXT NOT NULL,
  received_ms   INTEGER NOT NULL,
  network_ms    INTEGER NOT NULL,
  body          BLOB,
  state         TEXT NOT NULL,
  run_id        TEXT NOT NULL DEFAULT '',
  cause         TEXT NOT NULL DEFAULT '',
  UNIQUE (channel, account, event_key)
) STRICT;
CREATE INDEX inbox_live ON inbox (state, id) WHERE state NOT IN ('done', 'denied', 'dropped');
CREATE INDEX inbox_place ON inbox (channel, account, conversation, id) WHERE state NOT IN ('done', 'denied', 'dropped');
CREATE INDEX inbox_run ON inbox (run_id) WHERE run_id <> '';
CREATE INDEX inbox_over ON inbox (received_ms) WHERE state IN ('done', 'denied', 'dropped', 'context');

CREATE TABLE run (
  run_id           TEXT PRIMARY KEY,
  method           TEXT NOT NULL,
  client_key       TEXT NOT NULL,
  session_key      TEXT NOT NULL,
  session_id       TEXT NOT NULL,
  agent_id         TEXT NOT NULL,
  source           TEXT NOT NULL,
  route            BLOB,
  inputs           BLOB,
  state            TEXT NOT NULL,
  attempts         INTEGER NOT NULL DEFAULT 0,
  stalled_attempts INTEGER NOT NULL DEFAULT 0,
  progress         TEXT NOT NULL DEFAULT '',
  charged_progress TEXT NOT NULL DEFAULT '',
  created_ms       INTEGER NOT NULL,
  started_ms       INTEGER NOT NULL DEFAULT 0,
  finished_ms      INTEGER NOT NULL DEFAULT 0,
  result           BLOB,
  cause            TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX run_client_key ON run (method, client_key) WHERE client_key <> '';
CREATE INDEX run_live ON run (state, run_id) WHERE state IN ('queued', 'running', 'parked');
CREATE INDEX run_session ON run (session_key, run_id);
CREATE INDEX run_finished ON run (finished_ms) WHERE finished_ms > 0;

CREATE TABLE run_call (
  run_id       TEXT NOT NULL,
  tool_call_id TEXT NOT NULL,
  method       TEXT NOT NULL,
  state        TEXT NOT NULL,
  answer       BLOB,
  at_ms        INTEGER NOT NULL,
  PRIMARY KEY (run_id, tool_call_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  delivery_id   TEXT PRIMARY KEY,
  run_id        TEXT NOT NULL,
  part          TEXT NOT NULL,
  chunk         INTEGER NOT NULL,
  channel       TEXT NOT NULL,
  account       TEXT NOT NULL,
  conversation  TEXT NOT NULL,
  seq           INTEGER NOT NULL,
  body          BLOB,
  media         TEXT NOT NULL DEFAULT '',
  state         TEXT NOT NULL,
  attempts      INTEGER NOT NULL DEFAULT 0,
  not_before_ms INTEGER NOT NULL DEFAULT 0,
  expires_ms    INTEGER NOT NULL,
  doubt_ms      INTEGER NOT NULL DEFAULT 0,
  network_id    TEXT NOT NULL DEFAULT '',
  cause         TEXT NOT NULL DEFAULT '',
  created_ms    INTEGER NOT NULL,
  updated_ms    INTEGER NOT NULL,
  UNIQUE (run_id, part, chunk),
  UNIQUE (channel, account, conversation, seq)
) STRICT;
CREATE INDEX outbox_live ON outbox (channel, account, conversation, seq) WHERE state IN ('queued', 'attempting');
CREATE INDEX outbox_state ON outbox (state, updated_ms);

CREATE TABLE session (
  session_key TEXT PRIMARY KEY,
  agent_id    TEXT NOT NULL,
  session_id  TEXT NOT NULL,
  entry       TEXT NOT NULL,
  updated_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE idem (
  method      TEXT NOT NULL,
  key         TEXT NOT NULL,
  caller      TEXT NOT NULL,
  params_hash TEXT NOT NULL,
  answer      BLOB,
  expires_ms  INTEGER NOT NULL,
  PRIMARY KEY (method, key)
) STRICT;
CREATE INDEX idem_expires ON idem (expires_ms);

CREATE TABLE cursor (
  channel TEXT NOT NULL,
  account TEXT NOT NULL,
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (channel, account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE media (
  sha256       TEXT PRIMARY KEY,
  path         TEXT NOT NULL,
  mime         TEXT NOT NULL,
  size         INTEGER NOT NULL,
  last_used_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE fired (
  job_id  TEXT NOT NULL,
  slot_ms INTEGER NOT NULL,
  run_id  TEXT NOT NULL,
  PRIMARY KEY (job_id, slot_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE system_event (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  session_key TEXT NOT NULL,
  text        TEXT NOT NULL,
  at_ms       INTEGER NOT NULL
) STRICT;
CREATE INDEX system_event_session ON system_event (session_key, id);

CREATE TABLE worker (
  id               TEXT PRIMARY KEY,
  desired          TEXT NOT NULL,
  pinned_sha256    TEXT NOT NULL DEFAULT '',
  last_good_sha256 TEXT NOT NULL DEFAULT '',
  restarts         INTEGER NOT NULL DEFAULT 0,
  last_exit        TEXT NOT NULL DEFAULT '',
  pid              INTEGER NOT NULL DEFAULT 0,
  start_ticks      INTEGER NOT NULL DEFAULT 0,
  executable       TEXT NOT NULL DEFAULT ''
) STRICT;
`
