# What a person finds in the repository, for the transcript of a story.
git log -1 --format='%an committed: %B'
git status --porcelain
for it in src/*.sh tests/*.sh; do
  echo "--- $it"
  cat "$it"
done
