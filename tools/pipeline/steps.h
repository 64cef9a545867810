// Steps that are done once: what they were made of is remembered, so that an interrupted run goes on.
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
    std::vector<std::string> words;             ///< the command line after the program's name
    std::vector<std::filesystem::path> inputs;  ///< files and folders that it reads
    std::filesystem::path output;               ///< the file that it writes
    bool prints_output = false;                 ///< on standard output
    std::filesystem::path checkpoint;           ///< what it goes on from when it was interrupted, or ""
};

/// "vgg19 prune 'a b' -o c": what a person types.
std::string command_text(const std::vector<std::string>& words);

/// Runs a step, as run_child() does; for tests, something else.
using RunStep = std::function<int(const Step& step)>;

/// The steps that were done, in a file:
/// {"schema_version": 1, "steps": [{"id", "command": [words], "inputs": {path: digest}, "output_digest",
///  "seconds"}]}; a step that was begun and not finished has no output_digest. The digest of a file is its
/// SHA-256, that of a folder is of the names, sizes and times of the files that a data set finds in it.
class StepLog {
  public:
    /// Goes on from the file, if there is one. Throws Error (bad_input).
    explicit StepLog(std::filesystem::path file);

    /// Runs the step unless it was done: with the same command, on the same inputs, and its output is there
    /// unchanged. Throws Error with the kind of the step's exit code when it fails; what is done stays.
    void run(const Step& step, const RunStep& run_step);

    /// Of a step that was done.
    double seconds(const std::string& id) const;

  private:
    struct Record {
        std::vector<std::string> command;
        std::map<std::string, std::string> inputs;
        std::string output_digest;
        double seconds = 0;
    };

    bool is_done(const Step& step, const Record& wanted);
    /// Kept for the time of this object: a step's output is the next one's input.
    const std::string& digest(const std::filesystem::path& path);
    void read();
    void read(const model::Json& json);
    void write() const;

    std::filesystem::path file_;
    std::vector<std::string> order_;  ///< ids
    std::map<std::string, Record> records_;
    std::map<std::string, std::string> digests_;
};

}  // namespace vgg19::tools
