-- The role of the order service: it reaches its own database and no other. Run by an administrator, connected to the
-- order service's database, before the service's first start (again does no harm):
--     psql -d order_db -f sql/order_db/roles.sql
-- Then give the role a password (\password order_service in psql). CONNECT is open to everybody until it is taken from
-- PUBLIC in each database of the server, so do that in the others too: the files beside this one do it for theirs.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'order_service') THEN
        CREATE ROLE order_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
    EXECUTE format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO order_service', current_database());
    -- The service brings its own schema up to date at the start.
    GRANT USAGE, CREATE ON SCHEMA public TO order_service;
END
$$;
