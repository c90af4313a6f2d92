//! The standard's code lists: each an enum with the standard's own words.

/// Defines one of the standard's code lists: an enum, its words, and the way back from a word.
macro_rules! code_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            pub(super) const WORDS: &'static [&'static str] = &[$($word,)+];

            /// Returns the standard's word for the value.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Returns the value for the standard's word, which is case-sensitive, or nothing for another word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

code_list! {
    /// How an alert is to be handled.
    Status {
        /// Real, to be acted upon.
        Actual = "Actual",
        /// Part of an exercise, for its participants only.
        Exercise = "Exercise",
        /// About the alerting systems themselves.
        System = "System",
        /// A technical test, to be disregarded.
        Test = "Test",
        /// A draft, not to be acted upon.
        Draft = "Draft",
    }
}

code_list! {
    /// What an alert does.
    MsgType {
        /// Warns for the first time.
        Alert = "Alert",
        /// Replaces the alerts that it refers to.
        Update = "Update",
        /// Takes back the alerts that it refers to.
        Cancel = "Cancel",
        /// Acknowledges the alerts that it refers to.
        Ack = "Ack",
        /// Refuses the alerts that it refers to.
        Error = "Error",
    }
}

code_list! {
    /// Whom an alert is for.
    Scope {
        /// Everybody.
        Public = "Public",
        /// Those whom its restriction names.
        Restricted = "Restricted",
        /// The addresses that it names.
        Private = "Private",
    }
}

code_list! {
    /// The kind of event.
    Category {
        /// Geophysical, such as earthquakes and landslides.
        Geo = "Geo",
        /// Meteorological, floods included.
        Met = "Met",
        /// General emergency and public safety.
        Safety = "Safety",
        /// Law enforcement, military and homeland security.
        Security = "Security",
        /// Rescue and recovery.
        Rescue = "Rescue",
        /// Fire suppression and rescue.
        Fire = "Fire",
        /// Medical and public health.
        Health = "Health",
        /// Pollution and other environmental events.
        Env = "Env",
        /// Public and private transport.
        Transport = "Transport",
        /// Utilities, telecommunication and other infrastructure.
        Infra = "Infra",
        /// Chemical, biological, radiological, nuclear or explosive threats.
        Cbrne = "CBRNE",
        /// Anything else.
        Other = "Other",
    }
}

code_list! {
    /// What people should do.
    ResponseType {
        /// Take shelter where one is.
        Shelter = "Shelter",
        /// Leave, as instructed.
        Evacuate = "Evacuate",
        /// Get ready.
        Prepare = "Prepare",
        /// Do what was planned beforehand.
        Execute = "Execute",
        /// Keep away from the danger.
        Avoid = "Avoid",
        /// Watch where more is told.
        Monitor = "Monitor",
        /// Judge what is told; not for the public.
        Assess = "Assess",
        /// The danger is over.
        AllClear = "AllClear",
        /// Nothing.
        None = "None",
    }
}

code_list! {
    /// How soon one should act.
    Urgency {
        /// At once.
        Immediate = "Immediate",
        /// Within the next hour.
        Expected = "Expected",
        /// In the near future.
        Future = "Future",
        /// No longer.
        Past = "Past",
        /// Not known.
        Unknown = "Unknown",
    }
}

code_list! {
    /// How grave the threat to life or property is.
    Severity {
        /// Extraordinary.
        Extreme = "Extreme",
        /// Significant.
        Severe = "Severe",
        /// Possible.
        Moderate = "Moderate",
        /// Minimal or none known.
        Minor = "Minor",
        /// Not known.
        Unknown = "Unknown",
    }
}

code_list! {
    /// How sure the publisher is.
    Certainty {
        /// It has happened or is happening.
        Observed = "Observed",
        /// Its probability is above one half.
        Likely = "Likely",
        /// Its probability is at most one half.
        Possible = "Possible",
        /// Its probability is near zero.
        Unlikely = "Unlikely",
        /// Not known.
        Unknown = "Unknown",
    }
}
