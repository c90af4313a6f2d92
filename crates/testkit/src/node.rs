//! One node: its directory, its process, and its command line.

use std::{
    fs::{self, File},
    io::Write,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{port::free_port, wait::eventually};

/// How long a start may take.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long an orderly stop may take.
const STOPPED_WITHIN: Duration = Duration::from_secs(15);
/// The free space in MiB that a node keeps: the least that can be configured.
const FLOOR_MIB: u32 = 1;
/// The name of headquarters' gateway.
pub const GATEWAY: &str = "ims";
/// The login name of the duty officer.
const LOGIN: &str = "petugas";
/// The duty officer's password: of a throw-away node on loopback.
const PASSWORD: &str = "contoh-sandi-petugas";

/// A node of a federation, running or not; its process ends when it is dropped.
#[derive(Debug)]
pub struct Node {
    origin: String,
    dir: PathBuf,
    program: PathBuf,
    api: SocketAddr,
    federation: SocketAddr,
    token: RwLock<Option<String>>,
    process: Mutex<Option<Child>>,
}

/// What a command answers when it does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`posko {command}` ended with `{exit}`, {code}: {message}")]
pub struct Refused {
    /// The command.
    pub command: String,
    /// Its exit code; -1 when it was ended by a signal.
    pub exit: i32,
    /// The error's code in JSON, or empty.
    pub code: String,
    /// The error's message.
    pub message: String,
}

impl Node {
    /// Makes a node in `dir`, with free ports on loopback; `join` is the card of a node of the federation.
    pub(crate) fn make(
        program: &Path,
        dir: &Path,
        origin: &str,
        join: Option<&str>,
    ) -> Result<Self> {
        let loopback = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let node = Self {
            origin: origin.into(),
            dir: dir.into(),
            program: program.into(),
            api: loopback(free_port()?),
            federation: loopback(free_port()?),
            token: RwLock::default(),
            process: Mutex::new(None),
        };
        let (api, federation) = (node.api.to_string(), node.federation.to_string());
        let mut args = vec!["init", "--origin", origin, "--api-address", &api];
        args.extend([
            "--federation-address",
            &federation,
            "--public-address",
            &federation,
        ]);
        if let Some(card) = join {
            args.extend(["--join", card]);
        }
        if origin == GATEWAY {
            args.extend(["--role", "gateway"]);
        }
        node.console(&args)?;
        // What is shown here must not hang on how full this machine's disk is.
        node.set("floor_mib", &FLOOR_MIB.to_string())?;
        Ok(node)
    }

    /// Returns the node of another directory of the same name, which gets ports of its own and can run beside this one.
    pub fn twin(&self, dir: &Path) -> Result<Self> {
        let loopback = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let twin = Self {
            origin: self.origin.clone(),
            dir: dir.into(),
            program: self.program.clone(),
            api: loopback(free_port()?),
            federation: loopback(free_port()?),
            token: RwLock::default(),
            process: Mutex::new(None),
        };
        twin.configure(|text| {
            let text = text.replace(&self.api.to_string(), &twin.api.to_string());
            text.replace(&self.federation.to_string(), &twin.federation.to_string())
        })?;
        Ok(twin)
    }

    /// Returns its name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns where operators reach it.
    pub fn api(&self) -> SocketAddr {
        self.api
    }

    /// Returns where it listens for peers.
    pub fn federation(&self) -> SocketAddr {
        self.federation
    }

    /// Returns its duty officer's token, once there is one.
    pub fn token(&self) -> Option<String> {
        (self.token.read())
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the process id while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.process().as_ref().map(Child::id)
    }

    /// Changes the text of its configuration; it counts from the next start.
    pub fn configure(&self, change: impl FnOnce(String) -> String) -> Result<()> {
        let file = self.dir.join("config.toml");
        let text =
            fs::read_to_string(&file).with_context(|| format!("read `{}`", file.display()))?;
        fs::write(&file, change(text)).with_context(|| format!("write `{}`", file.display()))
    }

    /// Gives a key of its configuration another value; it counts from the next start.
    fn set(&self, key: &str, value: &str) -> Result<()> {
        self.configure(|text| {
            let line = |line: &str| match line.split_once(" = ") {
                Some((known, _)) if known == key => format!("{key} = {value}\n"),
                _ => format!("{line}\n"),
            };
            text.lines().map(line).collect()
        })
    }

    /// Returns its card with `address` on it, and the card's fingerprint.
    pub fn card(&self, address: SocketAddr) -> Result<(String, String)> {
        self.set("public_address", &format!("\"{address}\""))?;
        let card = self.console(&["peer", "card"])?;
        let field = |name: &str| card.get(name).and_then(Value::as_str).map(str::to_owned);
        field("card")
            .zip(field("fingerprint"))
            .context("`posko peer card` told no card")
    }

    /// Makes a duty officer for the node's province, or at a gateway somebody who directs and follows for headquarters,
    /// and keeps the token of a login.
    pub fn employ(&self) -> Result<()> {
        let mut add = vec!["user", "add", LOGIN, "--password-stdin"];
        if self.origin == GATEWAY {
            add.extend(["--role", "headquarters"]);
        } else {
            add.extend(["--role", "duty_officer", "--scope", &self.origin]);
        }
        self.run(&add, None, PASSWORD)?;
        if self.origin == GATEWAY {
            self.console(&["user", "grant", LOGIN, "--role", "ims"])?;
        }
        self.log_in()
    }

    /// Keeps the token of a new login of whoever was employed.
    pub fn log_in(&self) -> Result<()> {
        let login = self.run(
            &["login", LOGIN, "--password-stdin", "--print-token"],
            None,
            PASSWORD,
        )?;
        let token = login
            .get("token")
            .and_then(Value::as_str)
            .context("the login told no token")?;
        *(self.token.write()).unwrap_or_else(PoisonError::into_inner) = Some(token.into());
        Ok(())
    }

    /// Runs a command as the duty officer, and returns its JSON; [`Refused`] when it is not done.
    pub fn posko(&self, args: &[&str]) -> Result<Value> {
        self.run(args, self.token().as_deref(), "")
    }

    /// Runs a command as the machine's administrator, and returns its JSON; [`Refused`] when it is not done.
    pub fn console(&self, args: &[&str]) -> Result<Value> {
        self.run(args, None, "")
    }

    /// Starts a command as the duty officer, and returns its process.
    pub fn begin(&self, args: &[&str]) -> Result<Child> {
        let cannot = || format!("run `{}`", self.program.display());
        let mut command = self.command(args, self.token().as_deref());
        command.stdin(Stdio::null()).spawn().with_context(cannot)
    }

    fn command(&self, args: &[&str], token: Option<&str>) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--dir").arg(&self.dir).arg("--json").args(args);
        for name in ["POSKO_TOKEN", "POSKO_DIR", "POSKO_LANG", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        if let Some(token) = token {
            command.env("POSKO_TOKEN", token);
        }
        // A token of a real login must not be read, nor one of a test be kept.
        command.env("HOME", &self.dir);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str], token: Option<&str>, input: &str) -> Result<Value> {
        let mut command = self.command(args, token);
        command.stdin(Stdio::piped());
        let cannot = || format!("run `{}`", self.program.display());
        let mut child = command.spawn().with_context(cannot)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input may have ended before.
            let _ = writeln!(stdin, "{input}");
        }
        let output = child.wait_with_output().with_context(cannot)?;
        if output.status.success() {
            return serde_json::from_slice(&output.stdout)
                .with_context(|| format!("read the answer of `posko {}`", args.join(" ")));
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let error = said
            .lines()
            .rev()
            .find_map(|line| serde_json::from_str::<Value>(line).ok())
            .unwrap_or_default();
        let field = |name: &str| {
            error
                .get("error")
                .and_then(|error| error.get(name))
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        Err(Refused {
            command: args.join(" "),
            exit: output.status.code().unwrap_or(-1),
            code: field("code").unwrap_or_default(),
            message: field("message")
                .unwrap_or_else(|| format!("{said}{}", String::from_utf8_lossy(&output.stdout))),
        }
        .into())
    }

    /// Starts the process, and waits until it takes connections.
    pub fn start(&self) -> Result<()> {
        self.launch()?;
        eventually(
            &format!("node `{}` takes connections", self.origin),
            READY_WITHIN,
            || {
                self.check_alive()?;
                Ok(TcpStream::connect(self.api).ok().map(drop))
            },
        )?;
        Ok(())
    }

    /// Starts the process, and returns before it takes connections.
    pub fn launch(&self) -> Result<()> {
        let mut process = self.process();
        ensure!(process.is_none(), "node `{}` runs already", self.origin);
        let log = self.dir.join("serve.log");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("open `{}`", log.display()))?;
        let child = Command::new(&self.program)
            .arg("--dir")
            .arg(&self.dir)
            .arg("serve")
            .env_remove("POSKO_TOKEN")
            .env("HOME", &self.dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // A Ctrl-C in the terminal is for whoever started the node: it stops the node in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("start `{}`", self.program.display()))?;
        *process = Some(child);
        Ok(())
    }

    /// Errors when the process has ended by itself, with the end of its log.
    pub fn check_alive(&self) -> Result<()> {
        let ended = match self.process().as_mut() {
            Some(child) => child.try_wait()?,
            None => bail!("node `{}` is not running", self.origin),
        };
        let Some(status) = ended else { return Ok(()) };
        let log = fs::read_to_string(self.dir.join("serve.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        let end: Vec<&str> = lines.into_iter().rev().collect();
        bail!(
            "node `{}` ended with {status}:\n{}",
            self.origin,
            end.join("\n")
        )
    }

    /// Kills the process as `kill -9` does, at once.
    pub fn kill9(&self) -> Result<()> {
        let Some(mut child) = self.process().take() else {
            bail!("node `{}` is not running", self.origin);
        };
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Stops the process in order, with SIGTERM; one that does not end is killed, which is an error.
    pub fn stop(&self) -> Result<()> {
        let Some(mut child) = self.process().take() else {
            return Ok(());
        };
        // The id is of this child as long as nobody has waited for it.
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &child.id().to_string()])
            .status();
        let mut ended = false;
        if asked.is_ok_and(|asked| asked.success()) {
            let start = std::time::Instant::now();
            while !ended && start.elapsed() < STOPPED_WITHIN {
                ended = child.try_wait()?.is_some();
                if !ended {
                    crate::pause(Duration::from_millis(10));
                }
            }
        }
        if !ended {
            child.kill()?;
            child.wait()?;
            bail!(
                "node `{}` did not stop within {} s",
                self.origin,
                STOPPED_WITHIN.as_secs()
            );
        }
        Ok(())
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.process().take() {
            // A process that has ended already is as wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
