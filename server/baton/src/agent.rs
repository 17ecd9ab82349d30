//! Runs one role once: context, model, tools -> handoff.
