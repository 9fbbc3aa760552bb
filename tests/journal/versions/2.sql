BEGIN TRANSACTION;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    due REAL,
    attempts INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    note TEXT NOT NULL
);
INSERT INTO "deliveries" VALUES(1,2,1700000000.0,0,0,'');
CREATE TABLE documents (
    digest TEXT PRIMARY KEY,
    nodes INTEGER NOT NULL,
    size INTEGER NOT NULL,
    text BLOB
);
INSERT INTO "documents" VALUES('d1',2,40,X'7B226E6F646573223A207B2261223A207B2274797065223A2022746F6F6C732E54657874227D7D7D');
INSERT INTO "documents" VALUES('big',2,70000,NULL);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    event TEXT NOT NULL,
    job TEXT NOT NULL,
    text TEXT NOT NULL
);
INSERT INTO "events" VALUES(4,1700000000.0,'job_queued','done','{"seq":4,"time":1700000000.0,"event":"job_queued","job":"done","name":"job done","priority":0,"position":1.0,"batch":"","reason":""}');
INSERT INTO "events" VALUES(5,1700000000.0,'job_started','done','{"seq":5,"time":1700000000.0,"event":"job_started","job":"done","worker":"cpu","attempt":1}');
INSERT INTO "events" VALUES(6,1700000000.0,'run_started','done','{"seq":6,"time":1700000000.0,"event":"run_started","job":"done","workflow":"job done","nodes":2}');
INSERT INTO "events" VALUES(7,1700000000.0,'node_started','done','{"seq":7,"time":1700000000.0,"event":"node_started","job":"done","node":"n","type":"tools.Text","why":"first run"}');
INSERT INTO "events" VALUES(8,1700000000.0,'node_finished','done','{"seq":8,"time":1700000000.0,"event":"node_finished","job":"done","node":"n","outcome":"ran","seconds":0.5,"files":["f1"]}');
INSERT INTO "events" VALUES(9,1700000000.0,'job_finished','done','{"seq":9,"time":1700000000.0,"event":"job_finished","job":"done","status":"done","seconds":1.5,"outputs":{},"files":{},"counts":{},"problem":""}');
INSERT INTO "events" VALUES(10,1700000000.0,'job_queued','waits','{"seq":10,"time":1700000000.0,"event":"job_queued","job":"waits","name":"job waits","priority":7,"position":1.0,"batch":"","reason":""}');
INSERT INTO "events" VALUES(11,1700000000.0,'job_queued','runs','{"seq":11,"time":1700000000.0,"event":"job_queued","job":"runs","name":"job runs","priority":0,"position":2.0,"batch":"","reason":""}');
INSERT INTO "events" VALUES(12,1700000000.0,'job_started','runs','{"seq":12,"time":1700000000.0,"event":"job_started","job":"runs","worker":"cpu","attempt":1}');
INSERT INTO "events" VALUES(13,1700000000.0,'queue_changed','','{"seq":13,"time":1700000000.0,"event":"queue_changed","paused":true}');
INSERT INTO "events" VALUES(14,1700000000.0,'job_removed','gone','{"seq":14,"time":1700000000.0,"event":"job_removed","job":"gone"}');
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    status TEXT NOT NULL,
    priority INTEGER NOT NULL,
    position REAL NOT NULL,
    batch TEXT NOT NULL,
    parent TEXT NOT NULL,
    inputs TEXT NOT NULL,
    "only" TEXT NOT NULL,
    webhook TEXT NOT NULL,
    submitted REAL NOT NULL,
    document TEXT NOT NULL REFERENCES documents (digest),
    started REAL,
    finished REAL,
    attempts INTEGER NOT NULL,
    seconds REAL,
    outputs TEXT NOT NULL,
    files TEXT NOT NULL,
    counts TEXT NOT NULL,
    problem TEXT NOT NULL
, total INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs" VALUES(2,'done','job done','','done',0,1.0,'','','{}','[]','http://localhost/hook',1700000000.0,'d1',1700000000.0,1700000000.0,1,1.5,'{}','{}','{}','',2);
INSERT INTO "jobs" VALUES(3,'waits','job waits','a.json','queued',7,1.0,'','','{"seed":3}','["n"]','',1700000000.0,'d1',NULL,NULL,0,NULL,'{}','{}','{}','',0);
INSERT INTO "jobs" VALUES(4,'runs','job runs','','running',0,2.0,'','','{}','[]','',1700000000.0,'big',1700000000.0,NULL,1,NULL,'{}','{}','{}','',0);
CREATE TABLE nodes (
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    node TEXT NOT NULL,
    outcome TEXT NOT NULL,
    seconds REAL NOT NULL,
    memory INTEGER NOT NULL,
    why TEXT NOT NULL,
    key TEXT NOT NULL,
    files TEXT NOT NULL,
    sentence TEXT NOT NULL, trace TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (job, node)
) WITHOUT ROWID;
INSERT INTO "nodes" VALUES(2,'m','skipped',0.0,0,'not needed','','[]','','');
INSERT INTO "nodes" VALUES(2,'n','ran',0.5,0,'first run','','["f1"]','','');
CREATE TABLE once (
    key TEXT NOT NULL,
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (key, job)
) WITHOUT ROWID;
INSERT INTO "once" VALUES('key',2,'same');
CREATE TABLE results (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER,
    height INTEGER
);
INSERT INTO "results" VALUES(1,2,'f1','out/f1.png','f1.png','image/png',9,4,2);
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "state" VALUES('paused',1);
CREATE TABLE versions (
    path TEXT NOT NULL,
    number INTEGER NOT NULL,
    etag TEXT NOT NULL,
    time REAL NOT NULL,
    text BLOB NOT NULL,
    PRIMARY KEY (path, number)
);
INSERT INTO "versions" VALUES('a.json',1,'e1',1700000000.0,X'7B7D');
CREATE INDEX documents_in_files ON documents (size) WHERE text IS NULL;
CREATE INDEX jobs_by_status ON jobs (status);
CREATE INDEX jobs_by_document ON jobs (document);
CREATE INDEX jobs_by_batch ON jobs (batch) WHERE batch != '';
CREATE INDEX jobs_by_end ON jobs (finished) WHERE finished IS NOT NULL;
CREATE INDEX once_by_job ON once (job);
CREATE INDEX results_by_digest ON results (digest);
CREATE INDEX results_by_job ON results (job);
CREATE INDEX deliveries_by_due ON deliveries (due) WHERE due IS NOT NULL;
CREATE INDEX deliveries_by_job ON deliveries (job);
CREATE INDEX events_by_job ON events (job);
CREATE INDEX events_without_job ON events (time) WHERE job = '' OR event = 'job_removed';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',4);
INSERT INTO "sqlite_sequence" VALUES('events',14);
INSERT INTO "sqlite_sequence" VALUES('deliveries',1);
COMMIT;
PRAGMA user_version = 2;
