//! What a span comes from.

use std::collections::BTreeSet;

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanContext, SpanKind, TraceContextExt as _},
};

use super::{
    carrier::{context_in, is_known},
    is_on,
};

/// Most spans that one is linked to: OpenTelemetry's own limit.
const MOST_LINKS: usize = 128;

/// What a span comes from.
#[derive(Debug, Default)]
pub enum Origin {
    /// The span that runs now; where there is none, as for work by the clock, a trace of its own begins.
    #[default]
    Current,
    /// The span that runs now, or nothing: a request to a part below.
    Within,
    /// A request to the service, of a caller whose span it continues, or of one that nobody need believe, whose span is
    /// linked: a stranger decides neither what is traced nor under which id.
    Request {
        /// The caller's span.
        caller: Option<SpanContext>,
        /// True for whoever is believed.
        believed: bool,
        /// What the span says.
        attributes: Vec<KeyValue>,
    },
    /// Records or objects of spans that are traced: below the one span if it is one, else linked to each.
    Carried {
        /// The spans.
        spans: Vec<SpanContext>,
        /// What the span says.
        attributes: Vec<KeyValue>,
    },
}

/// How a span is to begin.
pub(super) struct Begun {
    pub(super) parent: Context,
    pub(super) links: Vec<Link>,
    pub(super) kind: SpanKind,
    pub(super) attributes: Vec<KeyValue>,
}

impl Origin {
    /// What a request with the headers `carrier` comes from.
    pub fn of_request<'a>(carrier: impl IntoIterator<Item = (&'a str, &'a [u8])>, believed: bool, attributes: Vec<KeyValue>) -> Self {
        Self::Request { caller: context_in(carrier), believed, attributes }
    }

    /// What records come from, of each its headers; nothing while traces are off.
    pub fn carried_by<'a, C>(carriers: impl IntoIterator<Item = C>, attributes: Vec<KeyValue>) -> Self
    where
        C: IntoIterator<Item = (&'a str, &'a [u8])>,
    {
        if !is_on() {
            return Self::Carried { spans: Vec::new(), attributes: Vec::new() };
        }
        let (mut seen, mut spans) = (BTreeSet::new(), Vec::new());
        for carrier in carriers {
            // Records of one request say the same, and are many.
            let said: Vec<_> = carrier.into_iter().filter(|(name, _)| is_known(name)).collect();
            if !said.is_empty() && seen.insert(said.clone()) {
                spans.extend(context_in(said).filter(SpanContext::is_sampled));
            }
            if spans.len() == MOST_LINKS {
                break;
            }
        }
        Self::Carried { spans, attributes }
    }

    /// None: there is nothing to trace.
    pub(super) fn begun(self) -> Option<Begun> {
        let link = |span: SpanContext| Link::new(span, Vec::new(), 0);
        let under = |span: SpanContext| Context::new().with_remote_span_context(span);
        Some(match self {
            Self::Current => Begun { parent: Context::current(), links: Vec::new(), kind: SpanKind::Internal, attributes: Vec::new() },
            Self::Within => {
                let parent = Context::current();
                if !parent.span().span_context().is_sampled() {
                    return None;
                }
                Begun { parent, links: Vec::new(), kind: SpanKind::Client, attributes: Vec::new() }
            }
            Self::Request { caller, believed, attributes } => {
                let (parent, links) = match caller {
                    Some(caller) if believed => (under(caller), Vec::new()),
                    Some(caller) => (Context::new(), vec![link(caller)]),
                    None => (Context::new(), Vec::new()),
                };
                Begun { parent, links, kind: SpanKind::Server, attributes }
            }
            Self::Carried { spans, attributes } => {
                let (parent, links) = match <[SpanContext; 1]>::try_from(spans) {
                    Ok([one]) => (under(one), Vec::new()),
                    Err(none) if none.is_empty() => return None,
                    Err(several) => (Context::new(), several.into_iter().map(link).collect()),
                };
                Begun { parent, links, kind: SpanKind::Consumer, attributes }
            }
        })
    }
}
