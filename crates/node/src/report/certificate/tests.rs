use std::os::unix::fs::PermissionsExt;

use rcgen::{CertificateParams, KeyPair};

use super::*;

const NAME: &str = "lapor.example";

/// Files of a certificate in a directory of their own.
struct Made {
    dir: tempfile::TempDir,
    files: ReportTls,
}

impl Made {
    fn new() -> Self {
        let made = Self {
            dir: tempfile::tempdir().unwrap(),
            files: ReportTls {
                cert: "cert.pem".into(),
                key: "key.pem".into(),
            },
        };
        made.renew((2020, 2100));
        made
    }

    /// Writes a new pair that holds between two years, and returns the certificate.
    fn renew(&self, (from, until): (i32, i32)) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        self.write("cert.pem", &certificate.pem());
        self.write("key.pem", &key.serialize_pem());
        certificate.der().clone()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    }

    fn fault(&self) -> String {
        let checked = check_certificate(self.dir.path(), &self.files, now());
        checked.unwrap_err().to_string()
    }
}

#[test]
fn what_is_wrong_with_the_files_is_said_with_its_key_and_its_file() {
    let made = Made::new();
    check_certificate(made.dir.path(), &made.files, now()).unwrap();
    let path = |name: &str| made.dir.path().join(name).display().to_string();
    let says = |key: &str, name: &str, what: &str| {
        let fault = made.fault();
        let begin = format!("`report.{key}` names `{}`, ", path(name));
        assert!(fault.starts_with(&begin) && fault.contains(what), "{fault}");
    };

    made.renew((2020, 2021));
    says("tls_cert", "cert.pem", "until `2021-01-01T00:00:00Z`");
    made.renew((2099, 2100));
    says("tls_cert", "cert.pem", "from `2099-01-01T00:00:00Z`");
    made.renew((2020, 2100));
    made.write("key.pem", &KeyPair::generate().unwrap().serialize_pem());
    says(
        "tls_key",
        "key.pem",
        "is not the key of the first certificate",
    );
    made.write("key.pem", "-----BEGIN CERTIFICATE-----\n");
    says("tls_key", "key.pem", "holds no private key");
    made.write("cert.pem", "<html>");
    says("tls_cert", "cert.pem", "holds no certificate");
    fs::set_permissions(path("key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    says("tls_key", "key.pem", "everybody on this machine may read");
    fs::remove_file(path("key.pem")).unwrap();
    says("tls_key", "key.pem", "cannot be read");
}

#[test]
fn a_renewed_certificate_is_taken_and_a_wrong_one_leaves_the_old_in_use() {
    let made = Made::new();
    let old = made.renew((2020, 2100));
    let certificate = Certificate::load(made.dir.path(), &made.files).unwrap();
    let in_use = || certificate.current.shown().remove(0);
    assert_eq!(in_use(), old);
    made.write("cert.pem", "");
    certificate.reread();
    assert_eq!(in_use(), old);
    made.renew((2020, 2021));
    certificate.reread();
    assert_eq!(in_use(), old);
    let new = made.renew((2020, 2100));
    certificate.reread();
    assert_eq!(in_use(), new);
}

#[test]
fn a_certificate_out_of_date_does_not_keep_a_node_from_starting() {
    let made = Made::new();
    made.renew((2020, 2021));
    assert!(Certificate::load(made.dir.path(), &made.files).is_ok());
}
