-- Where the database is at home: on which server, and as which of its databases. A copy of it (a restored dump, another database
-- made with this one as its template) is somewhere else, and says so by that: it must not record in the name of its original.
ALTER TABLE audit_installation
    ADD COLUMN system_identifier BIGINT,
    ADD COLUMN database_oid      OID,
    ADD COLUMN copied_from       UUID;

COMMENT ON COLUMN audit_installation.system_identifier IS 'the server, as pg_control_system() names it; null where that is not known';
COMMENT ON COLUMN audit_installation.database_oid IS 'the database, as pg_database names it';
COMMENT ON COLUMN audit_installation.copied_from IS 'the id before the last `audit migrate --adopt-copy new-id`';

-- The server's own identifier; null where the administrator took away the right to read it.
CREATE FUNCTION audit_system_identifier() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system());
EXCEPTION WHEN insufficient_privilege THEN
    RETURN NULL;
END $$;

CREATE FUNCTION audit_database_oid() RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT oid FROM pg_database WHERE datname = current_database()
$$;

-- Whether the database is somewhere else than it was at home. False where nothing is known to compare with.
CREATE FUNCTION audit_is_copy() RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(system_identifier <> audit_system_identifier(), false) OR coalesce(database_oid <> audit_database_oid(), false)
      FROM audit_installation
$$;

UPDATE audit_installation SET system_identifier = audit_system_identifier(), database_oid = audit_database_oid();
