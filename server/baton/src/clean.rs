//! Text from models, tools and repositories, made safe to show and store.
