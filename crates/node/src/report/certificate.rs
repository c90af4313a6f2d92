//! The certificate with which the listener for reports speaks TLS itself: read at the start, and again when its files
//! change.
//!
//! What it never does: go back to plain HTTP. While new files are wrong, the pair that was read before stays in use.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use posko_proto::time::Millis;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use tokio::sync::watch;
use tracing::{info, warn};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::{
    config::ReportTls,
    identity::{ReloadingKey, tls::public_server_config},
    time::{now, shown},
};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_mins(1);

/// Why the files of a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// A file cannot be read.
    #[error("`report.{key}` names `{}`, which cannot be read", .path.display())]
    Unread {
        /// The key in the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The key's file may be read by everybody.
    #[error("`report.tls_key` names `{}`, which everybody on this machine may read: take that away with `chmod o= {}`", .path.display(), .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// A file holds no certificate.
    #[error("`report.tls_cert` names `{}`, which holds no certificate in PEM", .path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A file holds no key.
    #[error("`report.tls_key` names `{}`, which holds no private key in PEM", .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The two do not fit together, or cannot be used.
    #[error("`report.tls_key` names `{}`, which is not the key of the first certificate in `{}`", .key.display(), .cert.display())]
    NoPair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the library said.
        #[source]
        source: rustls::Error,
    },
    /// The certificate does not hold now.
    #[error("`report.tls_cert` names `{}`, whose certificate holds from `{}` until `{}`: browsers refuse it now", .path.display(), shown(*.from), shown(*.until))]
    OutOfDate {
        /// The file.
        path: PathBuf,
        /// When it begins.
        from: Millis,
        /// When it ends.
        until: Millis,
    },
}

/// A certificate in use.
#[derive(Debug)]
pub(crate) struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    current: ReloadingKey,
    seen: Mutex<Seen>,
}

/// What was found when the files were last looked at.
#[derive(Debug)]
struct Seen {
    files: Files,
    /// What was wrong, which is said once; or empty.
    fault: String,
}

/// What the two files hold.
#[derive(Debug, PartialEq, Eq)]
struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// A pair that fits together.
struct Pair {
    certified: CertifiedKey,
    from: Millis,
    until: Millis,
}

/// Checks the certificate that a configuration names: that it can be used, and that it holds now.
pub fn check_certificate(
    dir: &Path,
    files: &ReportTls,
    now: Millis,
) -> Result<(), CertificateFault> {
    let (cert, key) = (dir.join(&files.cert), dir.join(&files.key));
    let pair = Files::read(&cert, &key)?.pair(&cert, &key)?;
    pair.check_dates(&cert, now)
}

impl Certificate {
    /// Reads the files; one out of date is said in the log and used all the same, since a node must start.
    pub(crate) fn load(dir: &Path, files: &ReportTls) -> Result<Self, CertificateFault> {
        let (cert, key) = (dir.join(&files.cert), dir.join(&files.key));
        let files = Files::read(&cert, &key)?;
        let pair = files.pair(&cert, &key)?;
        if let Err(fault) = pair.check_dates(&cert, now()) {
            warn!(%fault, "the report form's certificate is out of date: {fault}");
        }
        Ok(Self {
            current: ReloadingKey::of(pair.certified),
            cert,
            key,
            seen: Mutex::new(Seen {
                files,
                fault: String::new(),
            }),
        })
    }

    /// Returns how browsers are served with it.
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        public_server_config(&self.current)
    }

    /// Takes the files into use if they have changed and are right; says once what is wrong with them if not.
    pub(crate) fn reread(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = Files::read(&self.cert, &self.key).and_then(|files| {
            if files == seen.files && seen.fault.is_empty() {
                return Ok(false);
            }
            seen.files = files;
            let pair = seen.files.pair(&self.cert, &self.key)?;
            pair.check_dates(&self.cert, now())?;
            self.current.replace(pair.certified);
            Ok(true)
        });
        let fault = match taken {
            Ok(taken) => {
                if taken {
                    info!("the report form's certificate on disk is in use");
                }
                String::new()
            }
            Err(fault) => fault.to_string(),
        };
        if !fault.is_empty() && fault != seen.fault {
            warn!(%fault, "the report form's certificate on disk was not taken, the old one stays in use: {fault}");
        }
        seen.fault = fault;
    }
}

/// Takes new files of a certificate into use until the node stops.
pub(crate) async fn follow(certificate: Arc<Certificate>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        certificate.reread();
    }
}

impl Files {
    fn read(cert: &Path, key: &Path) -> Result<Self, CertificateFault> {
        let unread = |name: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source| CertificateFault::Unread {
                key: name,
                path,
                source,
            }
        };
        let metadata = fs::metadata(key).map_err(unread("tls_key", key))?;
        if metadata.permissions().mode() & 0o007 != 0 {
            return Err(CertificateFault::Exposed { path: key.into() });
        }
        Ok(Self {
            cert: fs::read(cert).map_err(unread("tls_cert", cert))?,
            key: fs::read(key).map_err(unread("tls_key", key))?,
        })
    }

    fn pair(&self, cert: &Path, key: &Path) -> Result<Pair, CertificateFault> {
        let no_certificate = || CertificateFault::NoCertificate { path: cert.into() };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&self.cert)
            .collect::<Result<_, _>>()
            .map_err(|_| no_certificate())?;
        let first = chain.first().ok_or_else(no_certificate)?;
        let (_, parsed) = X509Certificate::from_der(first).map_err(|_| no_certificate())?;
        let validity = parsed.validity();
        let at = |seconds: i64| Millis(seconds.saturating_mul(1000));
        let (from, until) = (
            at(validity.not_before.timestamp()),
            at(validity.not_after.timestamp()),
        );
        let private = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| CertificateFault::NoKey { path: key.into() })?;
        let certified = CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(
            |source| CertificateFault::NoPair {
                cert: cert.into(),
                key: key.into(),
                source,
            },
        )?;
        Ok(Pair {
            certified,
            from,
            until,
        })
    }
}

impl Pair {
    fn check_dates(&self, path: &Path, now: Millis) -> Result<(), CertificateFault> {
        if (self.from..=self.until).contains(&now) {
            return Ok(());
        }
        Err(CertificateFault::OutOfDate {
            path: path.into(),
            from: self.from,
            until: self.until,
        })
    }
}

#[cfg(test)]
mod tests;
