// Stands in for VS Code's native logger, which would take minutes to compile: the same surface, plain files.
const fs = require("node:fs");
const path = require("node:path");

const NAMES = ["trace", "debug", "info", "warning", "error", "critical"];

class Logger {
  constructor(_kind, _name, file) {
    this.file = file;
    this.level = 2;
    this.raw = false;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.appendFileSync(file, "");
  }
  write(level, text) {
    if (this.level <= level) {
      const at = new Date().toISOString().replace("T", " ").replace("Z", "");
      fs.appendFileSync(this.file, this.raw ? text : `${at} [${NAMES[level]}] ${text}\n`);
    }
  }
  trace(text) { this.write(0, text); }
  debug(text) { this.write(1, text); }
  info(text) { this.write(2, text); }
  warn(text) { this.write(3, text); }
  error(text) { this.write(4, text); }
  critical(text) { this.write(5, text); }
  getLevel() { return this.level; }
  setLevel(level) { this.level = level; }
  setPattern() {}
  clearFormatters() { this.raw = true; }
  flush() {}
  drop() {}
}

exports.version = 0;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = async (...it) => new Logger("rotating", ...it);
exports.createAsyncRotatingLogger = async (...it) => new Logger("rotating_async", ...it);
