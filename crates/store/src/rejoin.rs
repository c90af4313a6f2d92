//! Where a reader whose place in a log was cut off goes on: an origin that came back from a backup may leave out entries
//! that others have read already.

use posko_ledger::epoch::Position;
use posko_proto::NodeId;

use crate::{Store, StoreError, branch, log};

impl Store {
    /// Returns the last position of a log at or before this one that counts still: itself, or where the branch that it is
    /// on was left. None when it is not held here, so that nobody can say.
    pub fn rejoin(&self, origin: NodeId, at: Position) -> Result<Option<Position>, StoreError> {
        let Some(log) = self.0.shared.log(origin) else {
            return Ok(None);
        };
        self.read(|connection| {
            if !log::holds(connection, origin, at)? {
                return Ok(None);
            }
            let end = (log.epoch_row, log.chain.end().seq);
            let path = branch::path(connection, origin, end)?;
            let epochs = log::epochs(connection, origin)?;
            let mut at = at;
            // Each step goes to a parent, which was stored before its child.
            while !at.is_start() {
                if let Some(segment) = path.iter().find(|segment| segment.open.epoch == at.epoch) {
                    let seq = at.seq.min(segment.upto);
                    let entry = log::entry_at(connection, log::pos(segment.row, seq))?;
                    let hash = entry.map_or_else(|| segment.open.hash(), |(_, hash)| hash);
                    return Ok(Some(Position { seq, hash, ..at }));
                }
                let open = epochs.iter().find(|(_, open)| open.epoch == at.epoch);
                let Some((_, open)) = open else {
                    return Ok(None);
                };
                at = open.parent;
            }
            Ok(Some(at))
        })
    }
}
