//! What the catalog says of the objects that `migrate` made, fact by fact, in words that do not
//! depend on the version of PostgreSQL: `verify` compares them with those of a database that was
//! just made, which stand in `sql/audit_db/catalog.txt`.

use tokio_postgres::GenericClient;

use crate::store::connection::query;
use crate::store::error::Error;

/// The facts of a database that was just made, roles included: `object | kind | fact` on each line,
/// sorted. A test holds it against a real one.
pub const MIGRATED_FACTS: &str = include_str!("../../../../sql/audit_db/catalog.txt");

/// One fact. The leaves of `event_logs` are alike: each stands for the object `leaf`. What they
/// have beyond each other, because they are not equally far, is no fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaFact {
    /// The table, view, sequence or function, as it is named in the database.
    pub name: String,
    /// The same as `catalog.txt` names it.
    pub object: String,
    /// What is said of it: `relation`, `index`, `constraint`, `trigger`, `rule`, `function`,
    /// `definition` (of a view), `right`, `sequence`, `column`, `role` (what a group role is beyond
    /// one).
    pub kind: String,
    /// The fact.
    pub fact: String,
}

/// Reads the facts, sorted.
///
/// # Errors
/// `Error::Query`.
pub(super) async fn read(client: &impl GenericClient) -> Result<Vec<SchemaFact>, Error> {
    let mut facts = query::rows(client, "reading the catalog", FACTS, &[], |row| {
        Ok(SchemaFact {
            name: row.try_get(0)?,
            object: row.try_get(1)?,
            kind: row.try_get(2)?,
            fact: row.try_get(3)?,
        })
    })
    .await?;
    facts.sort_unstable();
    Ok(facts)
}

// Definitions of indexes are taken without their names, which differ from leaf to leaf, and without
// how they are stored; those of triggers by their parts, because their text depends on the search
// path. A function is told by the hash of its body, a view by that of its definition as PostgreSQL
// writes it: alike in all versions up to 18, and not asked of those that may write it otherwise.
// What a dump writes is read back with its casts in other places, so these are left out.
// That everything belongs to one owner is a fact, who that is is not.
const FACTS: &str = "
WITH relation AS (
    SELECT oid, relname::text AS name, relkind, relowner, relacl, relrowsecurity, relpersistence, relpartbound,
           CASE WHEN oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.event_logs'::regclass)
                THEN 'leaf' ELSE relname::text END AS object
      FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
), owner AS (
    SELECT relowner AS id FROM pg_class WHERE oid = 'public.event_logs'::regclass
), function AS (
    SELECT pg_proc.oid, proname::text || '(' || pg_get_function_identity_arguments(pg_proc.oid) || ')' AS name, prosrc,
           prosecdef, proconfig, proowner, provolatile, proisstrict, lanname, coalesce(proacl, acldefault('f', proowner)) AS acl
      FROM pg_proc JOIN pg_language ON pg_language.oid = prolang WHERE pronamespace = 'public'::regnamespace
), grant_ AS (
    SELECT name, object, relowner AS owner, (aclexplode(relacl)).*, NULL::text AS column_ FROM relation
    UNION ALL
    SELECT name, object, relowner, (aclexplode(attacl)).*, attname::text
      FROM relation JOIN pg_attribute ON attrelid = relation.oid WHERE attacl IS NOT NULL
    UNION ALL
    SELECT name, name, proowner, (aclexplode(acl)).*, NULL FROM function
    UNION ALL
    SELECT 'schema public', 'schema public', nspowner, (aclexplode(nspacl)).*, NULL
      FROM pg_namespace WHERE nspname = 'public'
)
SELECT name, object, 'relation' AS kind,
       CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                    WHEN 'S' THEN 'sequence' ELSE 'relation of kind ' || relkind::text END
       || CASE WHEN relpersistence = 'p' THEN '' ELSE ' that is not logged' END
       || CASE WHEN relrowsecurity THEN ' with row security' ELSE '' END
       || CASE WHEN pg_get_expr(relpartbound, oid) = 'DEFAULT' THEN ' as the default partition' ELSE '' END
       || CASE WHEN relkind <> 'p' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = relation.oid)
               THEN ' with children' ELSE '' END
       || CASE WHEN relowner = owner.id THEN '' ELSE ' of another owner' END
  FROM relation, owner
UNION ALL
SELECT name, object, 'sequence',
       format('counts by %s from %s to %s, cache %s', seqincrement, seqmin, seqmax, seqcache)
       || CASE WHEN seqcycle THEN ', and again' ELSE '' END
  FROM relation JOIN pg_sequence ON seqrelid = relation.oid
UNION ALL
SELECT name, object, 'column',
       attname::text || ' ' || format_type(atttypid, atttypmod) || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
  FROM relation JOIN pg_attribute ON attrelid = relation.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p')
UNION ALL
SELECT name, object, 'constraint', attname::text || ' not null'
  FROM relation JOIN pg_attribute ON attrelid = relation.oid
 WHERE attnum > 0 AND attnotnull AND relkind IN ('r', 'p')
UNION ALL
SELECT name, object, 'constraint',
       regexp_replace(regexp_replace(pg_get_constraintdef(pg_constraint.oid), '\\s+', ' ', 'g'), ' WITH \\([^)]*\\)', '')
  FROM relation JOIN pg_constraint ON conrelid = relation.oid WHERE contype IN ('p', 'u', 'c', 'f')
UNION ALL
SELECT name, object, 'index',
       regexp_replace(regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '\\1'), ' WITH \\([^)]*\\)', '')
       || CASE WHEN indisvalid AND indisready THEN '' ELSE ' is invalid' END
  FROM relation JOIN pg_index ON indrelid = relation.oid
 WHERE object <> 'leaf' OR NOT EXISTS (
       SELECT FROM event_log_leaf_indexes()
        WHERE definition = regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '\\1'))
UNION ALL
SELECT name, object, 'trigger',
       tgname::text || ' of type ' || tgtype || ' calls '
       || CASE WHEN pronamespace = 'public'::regnamespace THEN '' ELSE pronamespace::regnamespace::text || '.' END || proname
       || CASE WHEN tgqual IS NULL THEN '' ELSE ' under a condition' END
       || CASE WHEN tgattr::text = '' THEN '' ELSE ' for some columns' END || ', '
       || CASE tgenabled WHEN 'A' THEN 'always' WHEN 'O' THEN 'unless replicating' WHEN 'D' THEN 'disabled'
                         ELSE 'only replicating' END
  FROM relation JOIN pg_trigger ON tgrelid = relation.oid JOIN pg_proc ON pg_proc.oid = tgfoid
 WHERE NOT tgisinternal
   AND NOT (object = 'leaf' AND name IN (SELECT name FROM event_log_leaves WHERE closed_at IS NOT NULL)
            AND (tgname, tgtype, tgenabled, tgattr::text, proname) = ('late_row', 5, 'A', '', 'note_late_row')
            AND tgqual IS NULL AND pronamespace = 'public'::regnamespace)
UNION ALL
SELECT name, object, 'trigger', 'of a foreign key, disabled'
  FROM relation JOIN pg_trigger ON tgrelid = relation.oid WHERE tgisinternal AND tgenabled <> 'O'
UNION ALL
SELECT name, object, 'rule', rulename::text
  FROM relation JOIN pg_rewrite ON ev_class = relation.oid WHERE rulename <> '_RETURN'
UNION ALL
SELECT name, object, 'definition', encode(sha256(convert_to(
           regexp_replace(regexp_replace(replace(replace(pg_get_viewdef(oid), 'public.', ''), '::character varying', ''),
                                         '\\((''[^'']*'')\\)::text', '\\1', 'g'),
                          '\\((ARRAY\\[[^]]*\\])\\)::text\\[\\]', '\\1', 'g'), 'UTF8')), 'hex')
  FROM relation WHERE relkind = 'v' AND current_setting('server_version_num')::int < 190000
UNION ALL
SELECT name, name, 'function',
       lanname || CASE provolatile WHEN 'i' THEN ' immutable' WHEN 's' THEN ' stable' ELSE '' END
       || CASE WHEN proisstrict THEN ' strict' ELSE '' END
       || CASE WHEN prosecdef THEN ' security definer' ELSE '' END || coalesce(' set ' || array_to_string(proconfig, ' '), '')
       || CASE WHEN proowner = owner.id THEN '' ELSE ' of another owner' END
       || ' ' || encode(sha256(convert_to(prosrc, 'UTF8')), 'hex')
  FROM function, owner
UNION ALL
SELECT name, object, 'right',
       CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END || ' ' || privilege_type
       || coalesce(' of ' || column_, '') || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END
  FROM grant_ WHERE grantee <> owner AND (object <> 'schema public' OR privilege_type <> 'USAGE')
UNION ALL
SELECT 'role ' || rolname, 'role', 'role', beyond
  FROM pg_roles, concat_ws(', ', CASE WHEN rolsuper THEN 'is a superuser' END, CASE WHEN rolcanlogin THEN 'can log in' END,
                 CASE WHEN rolcreaterole THEN 'can create roles' END, CASE WHEN rolbypassrls THEN 'passes row security' END,
                 CASE WHEN rolreplication THEN 'can replicate' END,
                 (SELECT 'is a member of ' || string_agg(pg_get_userbyid(roleid)::text, ', ' ORDER BY roleid)
                    FROM pg_auth_members WHERE member = pg_roles.oid)) AS beyond
 WHERE rolname IN ('audit_ingester', 'audit_reader', 'audit_replayer') AND beyond <> ''";
