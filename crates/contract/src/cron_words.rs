//! Cron in plain words: `0 2 * * 1-5` is `at 02:00 on Monday to Friday`.

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Names for common expressions, and the five fields they stand for.
pub const SHORTHANDS: [(&str, &str); 4] =
    [("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@weekly", "0 0 * * 0"), ("@monthly", "0 0 1 * *")];

/// The expression in words; `None` where it says more than words can say shortly, or cannot be read.
pub fn cron_words(expression: &str) -> Option<String> {
    let expression = expression.trim();
    let expression =
        SHORTHANDS.iter().find(|(name, _)| *name == expression).map_or(expression, |(_, fields)| fields);
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else { return None };
    let mut out = time(minute, hour)?;
    match (*day, *weekday) {
        ("*", "*") => {}
        ("*", days) => out.push_str(&format!(" on {}", listed(days, &|text| named(text, &DAYS, 0, 3))?)),
        (days, "*") => out.push_str(&format!(" on day {} of the month", listed(days, &day_of)?)),
        (days, weekdays) => out.push_str(&format!(
            " on day {} of the month and on {}",
            listed(days, &day_of)?,
            listed(weekdays, &|text| named(text, &DAYS, 0, 3))?
        )),
    }
    if *month != "*" {
        out.push_str(&format!(" in {}", listed(month, &|text| named(text, &MONTHS, 1, 3))?));
    }
    Some(out)
}

fn time(minute: &str, hour: &str) -> Option<String> {
    let every = |field: &str, one: &str, many: &str| {
        let step: u32 = field.strip_prefix("*/")?.parse().ok().filter(|step| *step > 0)?;
        Some(if step == 1 { format!("every {one}") } else { format!("every {step} {many}") })
    };
    match (minute, hour) {
        ("*", "*") => Some("every minute".to_owned()),
        ("*", _) => Some(format!("every minute of hour {}", listed(hour, &hour_of)?)),
        (minutes, "*") if minutes.starts_with("*/") => every(minutes, "minute", "minutes"),
        (minutes, "*") => Some(format!("at minute {} of every hour", listed(minutes, &minute_of)?)),
        (minutes, hours) if hours.starts_with("*/") => {
            let every = every(hours, "hour", "hours")?;
            let at = minutes.parse::<u32>().ok().filter(|minute| *minute < 60)?;
            Some(if at == 0 { every } else { format!("{every} at minute {at}") })
        }
        (minutes, hours) => {
            let minute = minutes.parse::<u32>().ok().filter(|minute| *minute < 60);
            let hours_listed: Option<Vec<u32>> =
                hours.split(',').map(|hour| hour.parse().ok().filter(|hour| *hour < 24)).collect();
            match (minute, hours_listed) {
                (Some(minute), Some(hours)) => {
                    let times = hours.iter().map(|hour| format!("{hour:02}:{minute:02}")).collect();
                    Some(format!("at {}", joined(times)))
                }
                _ => {
                    let minutes = match minutes.starts_with("*/") {
                        true => every(minutes, "minute", "minutes")?,
                        false => format!("at minute {}", listed(minutes, &minute_of)?),
                    };
                    Some(format!("{minutes} of hour {}", listed(hours, &hour_of)?))
                }
            }
        }
    }
}

/// `1,3-5` as `1 and 3 to 5`.
fn listed(field: &str, name: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let part = |part: &str| match part.split_once('-') {
        Some((from, to)) => Some(format!("{} to {}", name(from)?, name(to)?)),
        None => name(part),
    };
    Some(joined(field.split(',').map(part).collect::<Option<Vec<_>>>()?))
}

fn number(text: &str, least: u32, most: u32) -> Option<String> {
    text.parse::<u32>().ok().filter(|number| (least..=most).contains(number)).map(|number| number.to_string())
}

fn minute_of(text: &str) -> Option<String> {
    number(text, 0, 59)
}

fn hour_of(text: &str) -> Option<String> {
    number(text, 0, 23)
}

fn day_of(text: &str) -> Option<String> {
    number(text, 1, 31)
}

/// A day or a month by its number or its first letters.
fn named(text: &str, names: &[&str], first: usize, letters: usize) -> Option<String> {
    if let Ok(number) = text.parse::<usize>() {
        // Cron counts Sunday as 0 and as 7.
        let at = number.checked_sub(first)? % if first == 0 { names.len() } else { usize::MAX };
        return names.get(at).map(|name| (*name).to_owned());
    }
    let short = text.to_ascii_lowercase();
    names
        .iter()
        .find(|name| name.get(..letters).is_some_and(|start| start.to_ascii_lowercase() == short))
        .map(|name| (*name).to_owned())
}

/// `a, b and c`.
fn joined(words: Vec<String>) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_expressions_have_words() {
        for (expression, words) in [
            ("* * * * *", "every minute"),
            ("@hourly", "at minute 0 of every hour"),
            (" @weekly ", "at 00:00 on Sunday"),
            ("*/15 * * * *", "every 15 minutes"),
            ("5 * * * *", "at minute 5 of every hour"),
            ("0 */6 * * *", "every 6 hours"),
            ("30 2 * * *", "at 02:30"),
            ("0 2,14 * * 1-5", "at 02:00 and 14:00 on Monday to Friday"),
            ("0 22 * * sat,sun", "at 22:00 on Saturday and Sunday"),
            ("0 4 1,15 * *", "at 04:00 on day 1 and 15 of the month"),
            ("0 4 * 12 7", "at 04:00 on Sunday in December"),
            ("*/10 8-18 * * *", "every 10 minutes of hour 8 to 18"),
        ] {
            assert_eq!(cron_words(expression).as_deref(), Some(words), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_read_has_no_words() {
        for expression in [
            "",
            "* * * *",
            "61 2 * * *",
            "0 25 * * *",
            "0 2 * 13 *",
            "0 2 * * nope",
            "*/0 * * * *",
            "0 2 L * *",
        ] {
            assert_eq!(cron_words(expression), None, "{expression}");
        }
    }
}
