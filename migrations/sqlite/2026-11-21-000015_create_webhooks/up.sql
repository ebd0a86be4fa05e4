-- Where an account's events are sent, and how far that has come.
CREATE TABLE webhook_endpoints (
    account_id              INTEGER NOT NULL,
    id                      TEXT NOT NULL,
    url                     TEXT NOT NULL CHECK (length(url) <= 2048),
    -- In whose words events are told, and how they are signed.
    dialect                 TEXT NOT NULL CHECK (dialect IN ('handbill', 'vinr')),
    -- An array of types and patterns; none: all.
    types                   TEXT CHECK (json_type(types) = 'array'),
    description             TEXT CHECK (length(description) <= 2000),
    enabled                 INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    -- Signs what is sent, so it is kept as it is.
    secret                  TEXT NOT NULL,
    -- The one before, which signs too until then.
    old_secret              TEXT,
    old_secret_until        INTEGER,
    -- The idempotency key of the rotation that made the secret.
    rotation_key            TEXT CHECK (length(rotation_key) BETWEEN 1 AND 255),
    -- The sequence of the last event that is done with.
    reached                 INTEGER NOT NULL CHECK (reached >= 0),
    -- A replay ends behind this one, and goes on behind that one.
    replay_to               INTEGER,
    resume_at               INTEGER,
    -- How often the next event was tried.
    attempt                 INTEGER NOT NULL CHECK (attempt >= 0),
    next_attempt_at         INTEGER,
    -- Since when nothing was delivered although it was tried.
    failing_since           INTEGER,
    -- Until then one process delivers, and no other. Also that process's token.
    leased_until            INTEGER,
    -- When and why handbill disabled it.
    disabled_at             INTEGER,
    disabled_reason         TEXT,
    idempotency_key         TEXT CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    idempotency_fingerprint TEXT,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    CHECK ((idempotency_key IS NULL) = (idempotency_fingerprint IS NULL)),
    CHECK ((old_secret IS NULL) = (old_secret_until IS NULL)),
    CHECK ((replay_to IS NULL) = (resume_at IS NULL)),
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
    -- What handbill disabled is not enabled.
    CHECK (disabled_at IS NULL OR enabled = 0),
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
) STRICT;

CREATE UNIQUE INDEX webhook_endpoints_by_idempotency_key ON webhook_endpoints (account_id, idempotency_key)
WHERE idempotency_key IS NOT NULL;

-- What became of an event at an endpoint, as of the last attempt.
CREATE TABLE webhook_deliveries (
    account_id  INTEGER NOT NULL,
    endpoint_id TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status = 'pending' OR status = 'delivered' OR status = 'failed'),
    attempts    INTEGER NOT NULL CHECK (attempts >= 1),
    last_status INTEGER,
    last_error  TEXT,
    excerpt     TEXT,
    took_ms     INTEGER NOT NULL,
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    next_at     INTEGER,
    -- Only what is pending is tried again.
    CHECK (status = 'pending' OR next_at IS NULL),
    PRIMARY KEY (account_id, endpoint_id, event_id),
    FOREIGN KEY (account_id, endpoint_id) REFERENCES webhook_endpoints (account_id, id)
) STRICT;

CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (account_id, endpoint_id, status, event_id);
