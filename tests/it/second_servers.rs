//! One server for a file, several for a cluster.

use diesel::connection::SimpleConnection;

use crate::command_line::handbill;
use crate::support::Database;
use crate::support::process::Process;

#[test]
fn a_second_server_on_a_file_is_refused_and_commands_are_not() {
    let database = Database::sqlite();
    let first = Process::start(&database);
    for _ in 0..2 {
        let refused = Process::refused(&database, &[]);
        let path = database.url.trim_start_matches("sqlite://");
        let path = std::fs::canonicalize(path).expect("the file");
        let sentence = format!("another server is running on {}", path.display());
        assert!(refused.contains(&sentence), "{refused}");
    }
    let backup = database.folder().join("backup.db");
    let backup = backup.to_str().expect("text");
    for arguments in [
        &["keys", "create", "--name", "A"][..],
        &["keys", "list"],
        &["verify"],
        &["migrate"],
        &["backup", backup],
    ] {
        let done = handbill(&database.url, arguments);
        assert!(done.status.success(), "{arguments:?}");
    }
    // Nor does a newer handbill's command upgrade the file under it.
    let mut conn = database.connect();
    let older = "CREATE TABLE kept AS SELECT * FROM __diesel_schema_migrations ORDER BY version DESC LIMIT 1; \
        DELETE FROM __diesel_schema_migrations WHERE version IN (SELECT version FROM kept)";
    conn.batch_execute(older).expect("an older database");
    let refused = handbill(&database.url, &["keys", "create", "--name", "B"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("another server is running on "), "{said}");
    let back = "INSERT INTO __diesel_schema_migrations SELECT * FROM kept; DROP TABLE kept";
    conn.batch_execute(back).expect("as it was");
    drop(conn);
    // Whatever becomes of a server, the next one can start at once.
    first.kill();
    let second = Process::start(&database);
    assert!(second.stop());
    assert!(Process::start(&database).stop());
    let shared = Database::postgres();
    let servers = [Process::start(&shared), Process::start(&shared)];
    assert!(servers.into_iter().all(Process::stop));
}
