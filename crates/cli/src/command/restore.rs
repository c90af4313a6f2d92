//! `posko restore`: makes a node's directory of a backup, or checks one.

use std::path::PathBuf;

use clap::Args;

use crate::{
    failure::Failure,
    label::{self, Label},
    offline::{self, BackupFace},
    output::{Answer, Context, Table, fields, when},
};

/// Makes a node's directory of a backup, or checks a backup
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko --dir /var/lib/posko restore 32.backup --recovery-key recovery.key
  posko restore 32.backup --check
  posko restore 32.backup --check --recovery-key recovery.key

The directory must be new or empty: nothing is overwritten.
Be sure that the old node does not run any more, and never comes back: the
peers are asked, and where one has heard of it within 5 minutes nothing is
restored, unless with --force; then the one that was not started last stops
writing.
The restored node asks its peers what they know of its log before it promises
anything; entries that the backup lacks come back from them.
The recovery key is not put into the directory: it goes back to the safe.
With --check nothing is written; exit code 1 says that the backup is damaged.
Without the recovery key, compare the fingerprint with the province's card.")]
pub(crate) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// File of the recovery key, from the safe
    #[arg(long, value_name = "KEYFILE", required_unless_present = "check")]
    recovery_key: Option<PathBuf>,
    /// Check the backup and list what it holds; write nothing
    #[arg(long)]
    check: bool,
    /// Restore though a peer has heard of the node a moment ago
    #[arg(long, conflicts_with = "check")]
    force: bool,
}

impl RestoreArgs {
    /// Restores or checks.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let key = self.recovery_key.as_deref();
        if let Some(key) = key.filter(|_| !self.check) {
            let face = offline::restore(&self.file, &context.dir, key, self.force).await?;
            return shown(context, label::RESTORED, face);
        }
        let face = offline::check_backup(&self.file, key)?;
        shown(context, label::BACKUP_INTACT, face)
    }
}

/// Returns what a backup holds, in both forms.
pub(crate) fn shown(context: &Context, what: Label, face: BackupFace) -> Result<Answer, Failure> {
    let keys = if face.keys_opened {
        label::KEYS_OPENED
    } else {
        label::KEYS_SEALED
    };
    let mut parts = Table::new(context, &[label::PART, label::BYTES, label::DIGEST]);
    for part in &face.parts {
        parts.row([
            part.name.clone(),
            part.bytes.to_string(),
            part.sha256.clone(),
        ]);
    }
    let text = fields(
        context,
        [
            (what, face.path.clone()),
            (label::ORIGIN, face.origin.clone()),
            (label::MADE, when(Some(&face.made_at))),
            (label::MADE_BY, face.software.clone()),
            (label::POSITION, face.position.clone()),
            (
                label::FINGERPRINT,
                face.fingerprint.clone().unwrap_or_default(),
            ),
            (label::KEYS, context.say(keys).into()),
        ],
    );
    let mut text = format!("{text}\n\n{}", parts.render(context));
    if !face.asked.is_empty() {
        let mut asked = Table::new(context, &[label::PEER, label::HEARD, label::WHY]);
        for peer in &face.asked {
            let why = context.told(peer.why.as_deref().unwrap_or_default());
            asked.row([peer.peer.clone(), when(peer.seen_at.as_ref()), why]);
        }
        text = format!("{text}\n\n{}", asked.render(context));
    }
    Answer::new(face, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, offline::AskedFace, output::tests::context};

    #[test]
    fn a_backup_shows_what_it_holds_and_whether_the_keys_were_opened() {
        let face = |keys_opened| BackupFace {
            path: "32.backup".into(),
            origin: "32".into(),
            role: "node".into(),
            federation_id: "07070707-0707-0707-0707-070707070707".into(),
            made: Some("2026-09-21T14:13:20Z".into()),
            made_at: posko_proto::time::Millis(1_790_000_000_000).into(),
            software: "posko/0.1.0".into(),
            position: "32@1.abcd/7".into(),
            fingerprint: None,
            keys_opened,
            parts: Vec::new(),
            asked: vec![AskedFace {
                peer: "36".into(),
                seen: None,
                seen_at: None,
                why: Some("Connection refused (os error 111)".into()),
            }],
        };
        for (opened, words) in [(false, "tersegel"), (true, "terbuka")] {
            let answer = shown(&context(Lang::Id), label::BACKED_UP, face(opened)).unwrap();
            assert!(answer.text.contains(words), "{}", answer.text);
            assert!(answer.text.contains("32@1.abcd/7"), "{}", answer.text);
            assert!(answer.text.contains("sambungan ditolak"), "{}", answer.text);
            assert_eq!(answer.json["keys_opened"], opened);
            assert_eq!(answer.json["made"], "2026-09-21T14:13:20Z");
        }
    }
}
