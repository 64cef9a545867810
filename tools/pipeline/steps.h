// Runs each step once and records its inputs, so that an interrupted run can continue.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/model/json.h"

namespace vgg19::tools {

/// One run of a subcommand of this program.
struct Step {
    std::string id;                             ///< unique: "prune", "eval int8"
    std::vector<std::string> words;             ///< the command line without the program's name
    std::vector<std::filesystem::path> inputs;  ///< files and folders that the step reads
    std::filesystem::path output;               ///< the file that the step writes
    bool prints_output = false;                 ///< whether the output is the standard output
    std::filesystem::path checkpoint;           ///< the checkpoint of an interrupted step, or ""
};

/// A word as typed in a shell: in quotes where it needs them.
std::string shell_word(const std::string& word);

/// "vgg19 prune 'a b' -o c": as typed in a shell.
std::string command_text(const std::vector<std::string>& words);

/// Runs a step like run_child(); tests use a replacement.
using RunStep = std::function<int(const Step& step)>;

/// The log of finished steps, in a file: {"schema_version": 1, "steps": [{"id", "command": [words], "inputs":
/// {path: digest}, "output_digest", "seconds"}]}; an unfinished step has no output_digest. The digest of a
/// file is its SHA-256; the digest of a folder covers the names, sizes and times of the files that a data set
/// finds in it.
class StepLog {
  public:
    /// Continues the log in `file`, if it exists. `program` stands before what is said: "vgg19 pipeline".
    /// Throws Error (bad_input).
    explicit StepLog(std::filesystem::path file, std::string program = "vgg19 pipeline");

    /// Runs the step, unless it was done with the same command and inputs and its output has not changed. If
    /// the step fails, throws Error with the kind of its exit code; finished steps stay recorded.
    void run(const Step& step, const RunStep& run_step);

    /// The time of a finished step.
    double seconds(const std::string& id) const;

  private:
    struct Record {
        std::vector<std::string> command;
        std::map<std::string, std::string> inputs;
        std::string output_digest;
        double seconds = 0;
    };

    void say(const std::string& line) const;
    bool is_done(const Step& step, const Record& wanted);
    /// Cached during this object's lifetime, since one step's output is the next one's input.
    const std::string& digest(const std::filesystem::path& path);
    void read();
    void read(const model::Json& json);
    void write() const;

    std::filesystem::path file_;
    std::string program_;
    std::vector<std::string> order_;  ///< ids
    std::map<std::string, Record> records_;
    std::map<std::string, std::string> digests_;
};

}  // namespace vgg19::tools
