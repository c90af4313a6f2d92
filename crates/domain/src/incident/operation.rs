//! How an operation is run: who holds which post, who has been called, what is to be reached until when.

use posko_proto::{
    Id,
    incident::v1::{
        EscalationLevel, IncidentEscalated, IncidentObjectiveSet, IncidentObjectiveSettled,
        IncidentPeriodPlanned, IncidentPostFilled, IncidentPostVacated, Post,
    },
    time::Millis,
};
use serde::{Deserialize, Serialize};

use crate::{
    incident::{
        Aim, IncidentRejection,
        aim::{named, put},
        rule,
    },
    wire,
};

/// The most posts that are kept filled or vacated, the most periods and the most objectives of one incident.
pub const MOST_POSTS: usize = 500;
/// The most operational periods of one incident.
pub const MOST_PERIODS: usize = 500;
/// The most objectives of one incident.
pub const MOST_OBJECTIVES: usize = 1000;

/// How an operation is run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Who holds or held which post, oldest first.
    pub posts: Vec<Holding>,
    /// The newest call.
    pub escalation: Option<Escalation>,
    /// The operational periods, in order; the first is number 1.
    pub periods: Vec<Period>,
    /// The objectives, in the order in which they were set first.
    pub objectives: Vec<Objective>,
}

/// An account in a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The post.
    #[serde(with = "wire::number")]
    pub post: Post,
    /// The account.
    pub account: Id,
    /// When it took the post.
    pub since: Millis,
    /// When it left; none while it holds the post.
    pub until: Option<Millis>,
}

/// A call of the posts of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// The level.
    #[serde(with = "wire::number")]
    pub level: EscalationLevel,
    /// The posts that it called.
    #[serde(with = "wire::numbers")]
    pub called: Vec<Post>,
    /// When they were called.
    pub at: Millis,
    /// Until when somebody must answer; none when nothing follows.
    pub answer_by: Option<Millis>,
    /// When somebody answered.
    pub answered_at: Option<Millis>,
    /// Whether nobody had answered the level below in time.
    pub automatic: bool,
}

/// An operational period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Its begin.
    pub from: Millis,
    /// Its end.
    pub until: Millis,
    /// When its plan was approved; none until then, and again after the period was set anew.
    pub approved_at: Option<Millis>,
}

/// An objective.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// Its id, how much it presses, until when, and what became of it.
    pub aim: Aim,
    /// The number of its operational period; none when it belongs to no one.
    pub period: Option<u32>,
    /// Who is to reach it; unspecified when nobody is named.
    #[serde(with = "wire::number")]
    pub post: Post,
}

/// Whom each level calls, and how many minutes they have before the next level is called; none when nothing follows.
/// PMI's branches differ here: this is the house's default, after the chain of PMI Kota Malang's procedure
/// (`reference/domain.md` 3.3) and the posts of Perka BNPB 3/2016.
pub fn levels() -> [(EscalationLevel, &'static [Post], Option<i64>); 4] {
    use EscalationLevel::{Branch, National, Province, Region};
    [
        (Branch, &[Post::Assessment, Post::Commander], Some(15)),
        (
            Province,
            &[
                Post::Deputy,
                Post::Operations,
                Post::Planning,
                Post::Logistics,
            ],
            Some(30),
        ),
        (
            Region,
            &[Post::Liaison, Post::Health, Post::Safety],
            Some(60),
        ),
        (
            National,
            &[Post::PublicRelations, Post::Administration],
            None,
        ),
    ]
}

/// Returns the level above.
pub fn above(level: EscalationLevel) -> Option<EscalationLevel> {
    let next = i32::from(level) + 1;
    EscalationLevel::try_from(next).ok()
}

impl Operation {
    /// Returns who holds the post now.
    pub fn holders(&self, post: Post) -> impl Iterator<Item = Id> {
        let held = self.posts.iter();
        held.filter(move |held| held.post == post && held.until.is_none())
            .map(|held| held.account)
    }

    /// Returns until when somebody must answer, while nobody has.
    pub fn unanswered(&self) -> Option<(EscalationLevel, Millis)> {
        let call = self.escalation.as_ref()?;
        let waits = call.answered_at.is_none();
        call.answer_by.filter(|_| waits).map(|by| (call.level, by))
    }

    /// A post may be held by several, the commander's by one alone: filling it is the handover.
    pub(super) fn fill(
        &mut self,
        filled: &IncidentPostFilled,
        at: Millis,
    ) -> Result<(), IncidentRejection> {
        let (post, account) = (filled.post(), rule::id("account_ref", &filled.account_ref)?);
        if self.holders(post).any(|holder| holder == account) {
            return Ok(());
        }
        if post == Post::Commander {
            let held = self.posts.iter_mut();
            for held in held.filter(|held| held.post == post && held.until.is_none()) {
                rule::not_before("the handover", at, "the command's begin", held.since)?;
                held.until = Some(at);
            }
        }
        rule::room("posts", self.posts.len(), MOST_POSTS)?;
        self.posts.push(Holding {
            post,
            account,
            since: at,
            until: None,
        });
        Ok(())
    }

    pub(super) fn vacate(
        &mut self,
        vacated: &IncidentPostVacated,
        at: Millis,
    ) -> Result<(), IncidentRejection> {
        let (post, account) = (
            vacated.post(),
            rule::id("account_ref", &vacated.account_ref)?,
        );
        let held = self
            .posts
            .iter_mut()
            .find(|held| held.post == post && held.account == account && held.until.is_none());
        let held = held.ok_or(IncidentRejection::NotThere {
            what: "post held by account",
            name: account.to_string(),
        })?;
        rule::not_before("leaving the post", at, "taking it", held.since)?;
        held.until = Some(at);
        Ok(())
    }

    /// A call goes up, never down; the same level may be called again once it was answered.
    pub(super) fn escalate(
        &mut self,
        escalated: &IncidentEscalated,
        at: Millis,
    ) -> Result<(), IncidentRejection> {
        let level = escalated.level();
        if let Some(held) = &self.escalation {
            let waits = held.answered_at.is_none();
            if level < held.level || (level == held.level && waits) {
                return Err(IncidentRejection::Holds {
                    what: "escalation level",
                    name: held.level.as_str_name().to_owned(),
                });
            }
        }
        self.escalation = Some(Escalation {
            level,
            called: escalated.called().collect(),
            at,
            answer_by: rule::optional_time("answer_by", escalated.answer_by.as_ref())?,
            answered_at: None,
            automatic: escalated.automatic,
        });
        Ok(())
    }

    pub(super) fn answer(
        &mut self,
        level: EscalationLevel,
        at: Millis,
    ) -> Result<(), IncidentRejection> {
        let call = self.escalation.as_mut().filter(|call| call.level == level);
        let call = call.ok_or(IncidentRejection::NotThere {
            what: "call of level",
            name: level.as_str_name().to_owned(),
        })?;
        if call.answered_at.is_none() {
            rule::not_before("the answer", at, "the call", call.at)?;
            call.answered_at = Some(at);
        }
        Ok(())
    }

    /// Periods follow each other; one that is set anew has to be approved anew.
    pub(super) fn plan(
        &mut self,
        planned: &IncidentPeriodPlanned,
    ) -> Result<(), IncidentRejection> {
        let from = rule::time("plan_period.from", planned.from.as_ref())?;
        let until = rule::time("plan_period.until", planned.until.as_ref())?;
        if until <= from {
            return Err(IncidentRejection::Before {
                what: "the period's end",
                at: until,
                other: "its begin",
                other_at: from,
            });
        }
        let at = rule::index(planned.number)?;
        rule::room("periods", at, MOST_PERIODS)?;
        let next = self.periods.len() + 1;
        if at >= next {
            return Err(IncidentRejection::NotNext {
                number: planned.number,
                next,
            });
        }
        if let Some(before) = at
            .checked_sub(1)
            .and_then(|before| self.periods.get(before))
        {
            rule::not_before(
                "the period's begin",
                from,
                "the end of the one before",
                before.until,
            )?;
        }
        if let Some(after) = self.periods.get(at + 1) {
            rule::not_before(
                "the begin of the next period",
                after.from,
                "this one's end",
                until,
            )?;
        }
        let period = Period {
            from,
            until,
            approved_at: None,
        };
        match self.periods.get_mut(at) {
            Some(held) if (held.from, held.until) == (from, until) => {}
            Some(held) => *held = period,
            None => self.periods.push(period),
        }
        Ok(())
    }

    pub(super) fn approve(&mut self, number: u32, at: Millis) -> Result<(), IncidentRejection> {
        let period = self.periods.get_mut(rule::index(number)?);
        let period = period.ok_or(IncidentRejection::NotThere {
            what: "period",
            name: number.to_string(),
        })?;
        period.approved_at.get_or_insert(at);
        Ok(())
    }

    /// An objective that is set anew is open again.
    pub(super) fn set(&mut self, set: &IncidentObjectiveSet) -> Result<(), IncidentRejection> {
        let id = rule::id("set_objective.objective_id", &set.objective_id)?;
        if set.period != 0 && self.periods.get(rule::index(set.period)?).is_none() {
            return Err(IncidentRejection::NotThere {
                what: "period",
                name: set.period.to_string(),
            });
        }
        let objective = Objective {
            aim: Aim {
                id,
                priority: set.priority(),
                due_at: rule::optional_time("set_objective.due_at", set.due_at.as_ref())?,
                settled: None,
            },
            period: (set.period != 0).then_some(set.period),
            post: set.post(),
        };
        let most = ("objectives", MOST_OBJECTIVES);
        put(&mut self.objectives, most, objective, |held| held.aim.id)
    }

    pub(super) fn settle(
        &mut self,
        settled: &IncidentObjectiveSettled,
        at: Millis,
    ) -> Result<(), IncidentRejection> {
        let id = rule::id("settle_objective.objective_id", &settled.objective_id)?;
        let held = named(&mut self.objectives, "objective", id, |held: &Objective| {
            held.aim.id
        })?;
        let settlement = settled.settlement();
        held.aim
            .settle("settlement of the objective", settlement, at)
    }
}
