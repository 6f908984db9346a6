//! With what an event was sent.

use super::{
    Arrival, agent,
    draft::{Draft, device_type},
    read::{ADDRESS, NAME, Remarks},
    rederive::DECLARED,
};
use crate::{DeviceType, ReasonCode};

/// The device and its programs, and why it is a machine's.
pub struct Machine {
    pub user_agent: Option<String>,
    pub device_type: DeviceType,
    pub os: Option<String>,
    pub browser: Option<String>,
    pub bot_reasons: Vec<String>,
}

/// What the user agent tells and the event declares.
pub fn machine(draft: &Draft<'_>, arrival: &Arrival<'_>, remarks: &mut Remarks) -> Machine {
    // A library's own agent in the header tells of the calling program, not of the visitor.
    let header = arrival.user_agent.filter(|ua| agent::is_browser(ua)).map(|ua| ua.chars().take(ADDRESS).collect());
    let user_agent: Option<String> = remarks.text(draft.user_agent, ADDRESS).or(header);
    let told = user_agent.as_deref().map(agent::agent);
    let mut machine = Machine { user_agent, device_type: DeviceType::Unknown, os: None, browser: None, bot_reasons: Vec::new() };
    if let Some(told) = told {
        machine.device_type = told.device_type;
        machine.os.clone_from(&told.os);
        machine.browser.clone_from(&told.browser);
        machine.bot_reasons = told.bot_reasons.iter().map(|r| (*r).to_owned()).collect();
        if told.headless {
            remarks.add(ReasonCode::BrowserHeadless, "user_agent", "a browser without a window sent this: a test, a monitor or a machine");
        }
    }
    if let Some(field) = draft.device {
        let word = remarks.text(draft.device, NAME);
        match word.as_deref().map(device_type) {
            Some(Some((DeviceType::Bot, _))) => {
                machine.device_type = DeviceType::Bot;
                machine.bot_reasons.push(DECLARED.to_owned());
            }
            Some(Some((DeviceType::Unknown, _))) | None => {}
            Some(Some((declared, system))) => {
                // A tablet is often declared as a phone; the agent knows better.
                if machine.bot_reasons.is_empty() && !(declared == DeviceType::Mobile && machine.device_type == DeviceType::Tablet) {
                    machine.device_type = declared;
                }
                machine.os = machine.os.take().or(system.map(str::to_owned));
            }
            Some(None) => remarks.add(ReasonCode::FieldInvalid, field.name, "left out: wanted desktop, mobile, tablet, android or ios"),
        }
    }
    machine.os = remarks.text(draft.os, NAME).or(machine.os);
    machine.browser = remarks.text(draft.browser, NAME).or(machine.browser);
    if machine.device_type == DeviceType::Unknown {
        remarks.add(ReasonCode::DeviceUnknown, "device_type", "neither the event nor a browser's user agent tells the device");
    }
    machine
}
