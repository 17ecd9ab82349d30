//! The one loop; owns the team.
