//! `posko incident attach`, `attachments`, `fetch`: files that belong to an incident.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;
use posko_proto::{
    Id,
    blob::v1::{
        AttachmentKind, Blob, BlobState, FetchBlobRequest, FetchBlobResponse, GetBlobRequest,
        MediaType, Metadata, PeerAnswer, PutBlobRequest, PutBlobResponse,
    },
    id::hex,
    incident::v1::{AttachFileRequest, Attachment, ListAttachmentsRequest},
    log::v1::WithdrawPayloadRequest,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::incident_id;
use crate::{
    client::Client,
    command::{lost, outcome_fields, outcome_of, recorded},
    failure::Failure,
    input::{self, Frame},
    json as view, label, name,
    output::{Answer, Context, Table, Tint, fields, note, when},
    word,
};

/// How many bytes are sent at once.
const PART: usize = 256 * 1024;
/// How many parts are read ahead.
const AHEAD: usize = 2;

#[derive(Debug, Subcommand)]
pub(crate) enum AttachmentCommand {
    /// Attaches a photo, a decree, a form, a map or a report
    #[command(after_help = "Examples:
  posko incident attach PMI-32-2026-000001 jembatan.jpg --kind photo \\
    --caption \"Jembatan Cibarusah putus\"
  posko incident attach PMI-32-2026-000001 sk-tanggap-darurat.pdf \\
    --kind decree --about 0192f3c4-5a6b-7c8d-9e0f-112233445566

Taken are JPEG, PNG, WebP, PDF, Office Open XML (.docx, .xlsx) and OpenDocument (.odt, .ods), by their bytes, up to the
node's `[blob] max_mib`. A picture loses what it tells of its place, its time, its camera and its owner; of a document
nothing is removed, and it may carry its author's name. The file's name is not sent. Every province may fetch the file.")]
    Attach {
        /// Id or number
        incident: String,
        /// The file
        file: PathBuf,
        /// What it is: photo, decree, form, map, report or other
        #[arg(long, value_parser = word::parse::<AttachmentKind>)]
        kind: AttachmentKind,
        /// The need, declaration or assessment that it belongs to [default: the incident itself]
        #[arg(long, value_name = "ID", value_parser = input::id)]
        about: Option<Id>,
        /// What it shows, as a log note
        #[arg(long, value_name = "TEXT")]
        caption: Option<String>,
        #[command(flatten)]
        frame: Frame,
    },
    /// Lists an incident's attachments, and whether each file is here
    #[command(after_help = "Examples:
  posko incident attachments PMI-32-2026-000001
  posko incident attachments PMI-32-2026-000001 --json")]
    Attachments {
        /// Id or number
        incident: String,
    },
    /// Saves an attachment; one that is not here is fetched from a node that has it
    #[command(after_help = "Examples:
  posko incident fetch PMI-32-2026-000001 5d41402abc4b2a76 --out jembatan.jpg
  posko incident fetch PMI-32-2026-000001 5d41402abc4b2a76 \\
    --out sk.pdf --wait 600

The hash is listed by `posko incident attachments`; its first eight digits are enough where they fit one file. When
nobody who is connected has the file, the node goes on asking after this command has ended.")]
    Fetch {
        /// Id or number
        incident: String,
        /// The file's SHA-256, or how it begins
        #[arg(value_name = "HASH", value_parser = hash_begin)]
        hash: String,
        /// The new file to save it to
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// How long to wait for it, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u64,
    },
    /// Has an attachment of this province deleted at every node, with its file
    #[command(after_help = "Examples:
  posko incident withdraw-attachment PMI-32-2026-000001 \\
    0192f3c4-5a6b-7c8d-9e0f-112233445566 \\
    --reason \"Menampilkan wajah korban\" --legal-basis \"UU 27/2022 pasal 8\"

`posko incident attachments` lists them with their event ids. The file stays where another attachment names it too. Its
caption is a note, and is withdrawn by `posko incident withdraw-note`. The reason stays, and every province reads it: it
names nobody. It cannot be taken back. Who has not deleted it yet is listed by `posko log withdrawals`.")]
    WithdrawAttachment {
        /// Id or number
        incident: String,
        /// The attachment's event
        #[arg(value_name = "EVENT_ID", value_parser = input::id)]
        event: Id,
        /// Why
        #[arg(long)]
        reason: String,
        /// The law or the decision by which it is withdrawn
        #[arg(long)]
        legal_basis: String,
        #[command(flatten)]
        frame: Frame,
    },
}

/// Reads a hash, or how one begins.
fn hash_begin(text: &str) -> Result<String, String> {
    let digits = text.trim().to_ascii_lowercase();
    let is_hash =
        (8..=64).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hash {
        Ok(digits)
    } else {
        Err(format!(
            "`{text}` is no hash: expected 8 to 64 hexadecimal digits"
        ))
    }
}

impl AttachmentCommand {
    /// Runs the command.
    pub(super) async fn run(self, context: &Context, client: &Client) -> Result<Answer, Failure> {
        match self {
            Self::Attach {
                incident,
                file,
                kind,
                about,
                caption,
                frame,
            } => {
                let incident_id = incident_id(client, &incident).await?;
                let put = put(client, &file).await?;
                note(&told(context, &put));
                let (id, meta) = frame.meta();
                let request = AttachFileRequest {
                    meta: Some(meta),
                    incident_id,
                    blob: put.blob.clone(),
                    kind: kind.into(),
                    about: about.map(Id::to_vec).unwrap_or_default(),
                    caption: caption.unwrap_or_default(),
                };
                let answer = client.incidents().attach_file(request).await;
                let outcome = outcome_of(id, answer.map_err(lost(id))?.into_inner().outcome)?;
                attached(context, &outcome, &put)
            }
            Self::Attachments { incident } => {
                let (attachments, more) = list(client, &incident).await?;
                let text = listed(context, &attachments, more);
                let attachments: Vec<view::incident::Attachment> =
                    attachments.into_iter().map(Into::into).collect();
                Answer::new(json!({ "attachments": attachments, "more": more }), text)
            }
            Self::Fetch {
                incident,
                hash,
                out,
                wait,
            } => {
                if out.exists() {
                    return Err(already_there(&out));
                }
                let (attachments, _) = list(client, &incident).await?;
                let blob = find(&attachments, &hash)?;
                fetch(context, client, &blob, Duration::from_secs(wait)).await?;
                save(client, &blob, &out).await?;
                let file = out.display().to_string();
                let text = fields(
                    context,
                    [
                        (label::FILE, file.clone()),
                        (label::HASH, hex(&blob.hash)),
                        (label::BYTES, blob.length.to_string()),
                        (
                            label::FILE_TYPE,
                            label::of::<MediaType>(blob.media_type, context.lang),
                        ),
                    ],
                );
                let blob = view::incident::Blob::from(blob);
                Answer::new(json!({ "file": file, "blob": blob }), text)
            }
            Self::WithdrawAttachment {
                incident,
                event,
                reason,
                legal_basis,
                frame,
            } => {
                let stream_id = incident_id(client, &incident).await?;
                let (id, meta) = frame.meta();
                let request = WithdrawPayloadRequest {
                    meta: Some(meta),
                    stream_id,
                    event_id: event.to_vec(),
                    reason,
                    legal_basis,
                };
                let answer = client.logs().withdraw_payload(request).await;
                let outcome = answer.map_err(lost(id))?.into_inner().outcome;
                recorded(context, label::STATEMENT, id, outcome)
            }
        }
    }
}

fn already_there(out: &Path) -> Failure {
    let why = format!(
        "`{}` is there already, and is not overwritten",
        out.display()
    );
    Failure::refused("already_exists", why)
}

/// Returns the failure of a file that cannot be read or written.
fn unusable(action: &str, file: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{action} `{}`: {error}", file.display()))
}

/// Sends a file to the node, part by part.
async fn put(client: &Client, path: &Path) -> Result<PutBlobResponse, Failure> {
    let mut file = File::open(path).map_err(|error| unusable("read", path, &error))?;
    let about = file
        .metadata()
        .map_err(|error| unusable("read", path, &error))?;
    if !about.is_file() {
        return Err(Failure::usage(format!("`{}` is no file", path.display())));
    }
    let length = about.len();
    let (parts, sent) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || -> io::Result<()> {
        let mut first = length;
        loop {
            let mut chunk = Vec::new();
            (&mut file).take(PART as u64).read_to_end(&mut chunk)?;
            if chunk.is_empty() && first == 0 {
                return Ok(());
            }
            let length = std::mem::take(&mut first);
            let is_last = chunk.is_empty();
            // The node has refused it when it takes no more.
            let taken = parts.blocking_send(PutBlobRequest { length, chunk });
            if taken.is_err() || is_last {
                return Ok(());
            }
        }
    });
    let answer = client.blobs().put_blob(ReceiverStream::new(sent)).await;
    // What could not be read is why the node found the file too short.
    if let Ok(Err(error)) = reading.await {
        return Err(unusable("read", path, &error));
    }
    Ok(answer?.into_inner())
}

/// Says what became of what the file told beside its content.
fn told(context: &Context, put: &PutBlobResponse) -> String {
    match put.metadata() {
        Metadata::Removed => format!(
            "{} ({} {})",
            context.say(label::METADATA_REMOVED),
            put.removed_bytes,
            context.say(label::BYTES)
        ),
        Metadata::None => context.say(label::METADATA_NONE).into(),
        Metadata::MayRemain | Metadata::Unspecified => {
            context.say(label::METADATA_MAY_REMAIN).into()
        }
    }
}

fn attached(
    context: &Context,
    outcome: &view::Outcome,
    put: &PutBlobResponse,
) -> Result<Answer, Failure> {
    let blob = put.blob.clone().unwrap_or_default();
    let [incident, version, position] = outcome_fields(label::INCIDENT, outcome);
    let event = outcome.first_event().unwrap_or_default().to_owned();
    let text = fields(
        context,
        [
            incident,
            version,
            position,
            (label::EVENT, event),
            (label::HASH, hex(&blob.hash)),
            (label::BYTES, blob.length.to_string()),
            (
                label::FILE_TYPE,
                label::of::<MediaType>(blob.media_type, context.lang),
            ),
        ],
    );
    let metadata = name::of::<Metadata>(put.metadata);
    let (removed, blob) = (put.removed_bytes, view::incident::Blob::from(blob));
    Answer::new(
        json!({ "outcome": outcome, "blob": blob, "metadata": metadata, "removed_bytes": removed }),
        text,
    )
}

/// Returns an incident's attachments, and whether there are more than are given.
pub(super) async fn list(
    client: &Client,
    incident: &str,
) -> Result<(Vec<Attachment>, bool), Failure> {
    let incident_id = incident_id(client, incident).await?;
    let request = ListAttachmentsRequest { incident_id };
    let listed = client
        .incidents()
        .list_attachments(request)
        .await?
        .into_inner();
    Ok((listed.attachments, listed.more))
}

/// Returns what stands of attachments below an incident; nothing when it has none.
pub(super) fn section(context: &Context, attachments: &[Attachment], more: bool) -> String {
    if attachments.is_empty() {
        return String::new();
    }
    let table = listed(context, attachments, more);
    format!("\n\n{}\n{table}", context.say(label::ATTACHMENTS))
}

/// Returns the table of attachments, and whether there are more than it shows.
fn listed(context: &Context, attachments: &[Attachment], more: bool) -> String {
    let table = table(context, attachments).render_all(context);
    if more {
        format!("{table}\n{}", context.say(label::MORE_ATTACHMENTS))
    } else {
        table
    }
}

fn table(context: &Context, attachments: &[Attachment]) -> Table {
    let head = [
        label::TIME,
        label::KIND,
        label::FILE_TYPE,
        label::BYTES,
        label::STATE,
        label::HASH,
        label::ABOUT,
        label::CAPTION,
        label::EVENT,
    ];
    let mut table = Table::new(context, &head);
    for attachment in attachments {
        let blob = attachment.blob.clone().unwrap_or_default();
        let short = hex(&blob.hash).get(..16).unwrap_or_default().to_owned();
        let (state, tint) = state(context, attachment);
        let caption = if attachment.withdrawn {
            format!(
                "{} ({})",
                attachment.withdrawn_because, attachment.legal_basis
            )
        } else {
            attachment.caption.clone()
        };
        let bytes = if blob.length > 0 {
            blob.length.to_string()
        } else {
            String::new()
        };
        let plain = |text: String| (text, Tint::Plain);
        table.tinted([
            plain(when(attachment.at.as_ref())),
            plain(label::of::<AttachmentKind>(attachment.kind, context.lang)),
            plain(label::of::<MediaType>(blob.media_type, context.lang)),
            plain(bytes),
            (state, tint),
            plain(short),
            plain(view::id(&attachment.about).unwrap_or_default()),
            plain(caption),
            plain(view::id(&attachment.event_id).unwrap_or_default()),
        ]);
    }
    table
}

/// Says where an attachment's file stands, since when it is asked for, and how much of it is here.
fn state(context: &Context, attachment: &Attachment) -> (String, Tint) {
    if attachment.withdrawn {
        return (context.say(label::WITHDRAWN).into(), Tint::Plain);
    }
    if attachment.blob.is_none() {
        return (context.say(label::PAYLOAD_MISSING).into(), Tint::Warn);
    }
    let mut said = label::of::<BlobState>(attachment.state, context.lang);
    let length = attachment.blob.as_ref().map_or(0, |blob| blob.length);
    if attachment.held_bytes > 0 && attachment.held_bytes < length {
        said = format!("{said}, {}%", attachment.held_bytes * 100 / length.max(1));
    }
    if attachment.asked_at.is_some() {
        let (since, at) = (
            context.say(label::ASKED_SINCE),
            when(attachment.asked_at.as_ref()),
        );
        said = format!("{said}, {since} {at}");
    }
    let tint = match attachment.state() {
        BlobState::Held => Tint::Good,
        BlobState::Nobody | BlobState::Refused => Tint::Bad,
        BlobState::Fetching => Tint::Warn,
        BlobState::NotAsked | BlobState::Unspecified => Tint::Plain,
    };
    (said, tint)
}

/// Returns the one file of an incident whose hash begins so.
fn find(attachments: &[Attachment], begin: &str) -> Result<Blob, Failure> {
    let mut found: Vec<&Blob> = (attachments.iter())
        .filter_map(|attachment| attachment.blob.as_ref())
        .filter(|blob| hex(&blob.hash).starts_with(begin))
        .collect();
    found.dedup_by(|one, other| one.hash == other.hash);
    match found.as_slice() {
        [blob] => Ok((*blob).clone()),
        [] => Err(Failure::not_found(format!(
            "the incident has no attachment whose hash begins with `{begin}`"
        ))),
        _ => Err(Failure::usage(format!(
            "the incident has several attachments whose hash begins with `{begin}`: give more of it"
        ))),
    }
}

/// Waits until the file is here, and tells on stderr how that goes.
async fn fetch(
    context: &Context,
    client: &Client,
    blob: &Blob,
    wait: Duration,
) -> Result<(), Failure> {
    let request = FetchBlobRequest {
        hash: blob.hash.clone(),
    };
    let mut told = client.blobs().fetch_blob(request).await?.into_inner();
    let mut last = FetchBlobResponse::default();
    let waiting = async {
        while let Some(standing) = told.message().await? {
            if standing.state() == BlobState::Held {
                return Ok(true);
            }
            let line = standing_text(context, &standing);
            if line != standing_text(context, &last) {
                note(&line);
            }
            last = standing;
        }
        Ok::<bool, Failure>(false)
    };
    let came = tokio::time::timeout(wait, waiting).await;
    match came {
        Ok(Ok(true)) => Ok(()),
        Ok(Err(failure)) => Err(failure),
        Ok(Ok(false)) => Err(Failure::unreachable(
            "the node ended before the file was here",
        )),
        Err(_) => {
            let short = hex(&blob.hash).get(..16).unwrap_or_default().to_owned();
            let why = if last.state() == BlobState::Fetching {
                format!(
                    "file `{short}` is not whole yet, {} of {} bytes are here: the node goes on, repeat it later",
                    last.held_bytes, last.length
                )
            } else if last.state() == BlobState::Refused {
                last.why.clone()
            } else {
                let since = view::time(last.asked_at.as_ref()).unwrap_or_default();
                format!(
                    "nobody who is connected has file `{short}`, asked for since `{since}`: the node goes on asking, repeat it later"
                )
            };
            Err(Failure::refused("not_here", why))
        }
    }
}

/// Says how a fetch stands, and who said what.
fn standing_text(context: &Context, standing: &FetchBlobResponse) -> String {
    let mut said = label::of::<BlobState>(standing.state, context.lang);
    if standing.state() == BlobState::Fetching && standing.held_bytes > 0 {
        let percent = standing.held_bytes * 100 / standing.length.max(1);
        // Ten lines for a file, however large.
        said = format!("{said}, {}%", percent / 10 * 10);
    }
    let asked = standing.asked.iter().map(|peer| {
        let answer = label::of::<PeerAnswer>(peer.answer, context.lang);
        format!("`{}` {answer}", peer.origin)
    });
    let asked: Vec<String> = asked.collect();
    if !standing.why.is_empty() {
        said = format!("{said}: {}", context.told(&standing.why));
    } else if !asked.is_empty() {
        said = format!("{said}: {}", asked.join(", "));
    }
    said
}

/// Writes the file, whole and as its hash says, or not at all.
async fn save(client: &Client, blob: &Blob, out: &Path) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(out);
    let mut file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(already_there(out));
        }
        Err(error) => return Err(unusable("write", out, &error)),
    };
    let saved = write(client, blob, out, &mut file).await;
    if saved.is_err() {
        // It is of this attempt.
        let _ = fs::remove_file(out);
    }
    saved
}

async fn write(client: &Client, blob: &Blob, out: &Path, file: &mut File) -> Result<(), Failure> {
    let request = GetBlobRequest {
        hash: blob.hash.clone(),
        offset: 0,
    };
    let mut parts = client.blobs().get_blob(request).await?.into_inner();
    let mut hasher = Sha256::new();
    while let Some(part) = parts.message().await? {
        hasher.update(&part.body);
        file.write_all(&part.body)
            .map_err(|error| unusable("write", out, &error))?;
    }
    file.sync_all()
        .map_err(|error| unusable("write", out, &error))?;
    if hasher.finalize().as_slice() == blob.hash {
        Ok(())
    } else {
        let short = hex(&blob.hash).get(..16).unwrap_or_default().to_owned();
        let why = format!("file `{short}` came with other bytes than its hash says");
        Err(Failure::no(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output::tests::context};

    fn attachment(hash: u8, state: BlobState) -> Attachment {
        Attachment {
            blob: Some(Blob {
                hash: vec![hash; 32],
                length: 1000,
                media_type: MediaType::Jpeg.into(),
            }),
            kind: AttachmentKind::Photo.into(),
            state: state.into(),
            ..Attachment::default()
        }
    }

    #[test]
    fn a_file_is_named_by_the_beginning_of_its_hash_where_that_fits_one() {
        let attachments = [
            attachment(0xab, BlobState::Held),
            attachment(0xab, BlobState::Held),
            attachment(0xac, BlobState::Held),
        ];
        assert_eq!(find(&attachments, "abababab").unwrap().hash, [0xab; 32]);
        assert_eq!(find(&attachments, "ad").unwrap_err().code, "not_found");
        assert_eq!(find(&attachments, "a").unwrap_err().code, "usage");
        assert_eq!(hash_begin("ABCDEF01"), Ok("abcdef01".into()));
        for bad in ["abc", "", "xyzxyzxyz", &"a".repeat(65)] {
            assert!(hash_begin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn where_a_file_stands_is_said_with_since_when_it_is_asked_for() {
        let id = context(Lang::Id);
        let held = state(&id, &attachment(1, BlobState::Held));
        assert_eq!(held, ("ada di sini".into(), Tint::Good));
        let asked = Attachment {
            held_bytes: 250,
            asked_at: Some(prost_types::Timestamp {
                seconds: 1_767_571_200,
                nanos: 0,
            }),
            ..attachment(1, BlobState::Nobody)
        };
        let (said, tint) = state(&id, &asked);
        assert_eq!(
            said,
            "tidak ada di simpul yang terhubung, 25%, diminta sejak 2026-01-05 07:00:00 WIB"
        );
        assert_eq!(tint, Tint::Bad);
        let gone = Attachment {
            withdrawn: true,
            ..Attachment::default()
        };
        assert_eq!(state(&id, &gone).0, "dicabut");
    }

    #[test]
    fn who_said_what_is_told() {
        let standing = FetchBlobResponse {
            state: BlobState::Nobody.into(),
            asked: vec![posko_proto::blob::v1::PeerAsked {
                origin: "36".into(),
                answer: PeerAnswer::HasNot.into(),
            }],
            ..FetchBlobResponse::default()
        };
        assert_eq!(
            standing_text(&context(Lang::En), &standing),
            "nobody who is connected has it: `36` does not have it"
        );
    }
}
