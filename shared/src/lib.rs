//! RG-Flow.
