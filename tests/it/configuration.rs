//! The settings: what is understood, and what is refused with which sentence.

use handbill::config::Config;

fn read(vars: &[(&str, &str)]) -> Result<Config, String> {
    Config::from_vars(
        vars.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

#[test]
fn nothing_set_is_a_working_configuration() {
    let config = read(&[
        ("PATH", "/bin"),
        ("HANDBILL_BIND", ""),
        ("HANDBILL_KEY", "sk_x"),
    ])
    .unwrap();
    assert_eq!(config.database_url, "sqlite://handbill.db");
    assert_eq!(config.public_url_for(config.bind), "http://localhost:3000");
}

#[test]
fn a_wrong_or_unknown_setting_is_a_sentence() {
    for (name, value, sentence) in [
        (
            "HANDBILL_BIND",
            "3000",
            "HANDBILL_BIND must be an address and port such as 127.0.0.1:3000, not '3000'",
        ),
        (
            "HANDBILL_RATE_LIMIT",
            "0",
            "HANDBILL_RATE_LIMIT must be requests per minute, or off, not '0'",
        ),
        (
            "HANDBILL_MAX_PAGESIZE",
            "10",
            "HANDBILL_MAX_PAGESIZE is not a setting; docs/configuration.md lists them",
        ),
        (
            "DATABASE_URL",
            "sqlite://:memory:",
            "DATABASE_URL must be sqlite://PATH or postgres://…",
        ),
        (
            "DATABASE_URL",
            "mysql://root:secret@x",
            "DATABASE_URL must be sqlite://PATH or postgres://…",
        ),
    ] {
        assert_eq!(read(&[(name, value)]).unwrap_err(), sentence);
    }
}

#[test]
fn off_and_lists_are_understood() {
    let config = read(&[
        ("HANDBILL_RATE_LIMIT", "off"),
        ("HANDBILL_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("HANDBILL_PUBLIC_URL", "https://go.example.com/"),
    ])
    .unwrap();
    assert_eq!(config.rate_limit, None);
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.public_url_for(config.bind), "https://go.example.com");
}
