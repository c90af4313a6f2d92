//! Why a document is no alert: the element at fault, where it stands, and what is wrong with it.

use thiserror::Error;

use crate::{note::Place, xml::XmlError};

/// Why a document was refused as a CAP alert; elements are named by their path from the root.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CapError {
    /// The document is not XML that we read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The root element is not a CAP alert.
    #[error("root element `{name}` in namespace `{namespace}` at {at} is not a CAP alert")]
    NotAnAlert {
        /// The name of the root element.
        name: String,
        /// Its namespace, empty if it has none.
        namespace: String,
        /// Where it begins.
        at: Place,
    },
    /// A required element is missing.
    #[error("element `{element}` is missing in `{parent}` at {at}")]
    Missing {
        /// The missing element.
        element: &'static str,
        /// The path of the element that should hold it.
        parent: String,
        /// Where the parent begins.
        at: Place,
    },
    /// An element that may stand once stands twice.
    #[error("element `{element}` at {at} is a second one in its `{parent}`")]
    Repeated {
        /// The repeated element.
        element: &'static str,
        /// The path of the element that holds it.
        parent: String,
        /// Where the second one begins.
        at: Place,
    },
    /// The text of an element breaks the standard's rule for it.
    #[error("element `{element}` at {at} says `{value}`, which is not {expected}")]
    Invalid {
        /// The path of the element.
        element: String,
        /// Its text, shortened.
        value: String,
        /// What the standard asks for.
        expected: String,
        /// Where the element begins.
        at: Place,
    },
    /// The polygons of the alert have more points than are checked.
    #[error("polygon `{element}` at {at} takes the alert past the limit of `{limit}` points")]
    TooManyPoints {
        /// The path of the first polygon too many.
        element: String,
        /// Where it begins.
        at: Place,
        /// The limit in points.
        limit: usize,
    },
    /// The alert has more areas and shapes than are looked at.
    #[error(
        "element `{element}` at {at} takes the alert past the limit of `{limit}` areas, polygons and circles"
    )]
    TooManyShapes {
        /// The path of the first element too many.
        element: String,
        /// Where it begins.
        at: Place,
        /// The limit in areas, polygons and circles together.
        limit: usize,
    },
}

impl CapError {
    /// Returns the path of the element at fault, or nothing where the document is not even XML.
    pub fn element(&self) -> Option<String> {
        match self {
            Self::Xml(_) => None,
            Self::NotAnAlert { name, .. } => Some(name.clone()),
            Self::Missing {
                element, parent, ..
            }
            | Self::Repeated {
                element, parent, ..
            } => Some(format!("{parent}/{element}")),
            Self::Invalid { element, .. }
            | Self::TooManyPoints { element, .. }
            | Self::TooManyShapes { element, .. } => Some(element.clone()),
        }
    }

    /// Returns where the fault is.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Xml(error) => error.place(),
            Self::NotAnAlert { at, .. }
            | Self::Missing { at, .. }
            | Self::Repeated { at, .. }
            | Self::Invalid { at, .. }
            | Self::TooManyPoints { at, .. }
            | Self::TooManyShapes { at, .. } => Some(*at),
        }
    }
}
