// This program, started again as a child.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace vgg19::bench {

/// Descriptors that become a child's standard input and output; below 0: those of this process.
struct ChildStreams {
    int input = -1;
    int output = -1;
};

/// Starts this very program with these words, of which the first is what it takes for its name. The child
/// gets SIGTERM when the thread that started it ends, and with it this process. Throws Error (failed), which
/// calls the child `name`. SIGCHLD is not ignored afterwards.
pid_t start_this_program(const std::string& name, std::vector<std::string> words,
                         const ChildStreams& streams);

/// How a child ended.
struct ChildEnd {
    int exit_code = 0;  ///< 127 also if nobody can tell
    int signal = 0;     ///< that ended it, or 0
};

/// Waits for the end.
ChildEnd wait_for(pid_t child);

/// Does not wait: whether the child has ended, and how.
bool has_ended(pid_t child, ChildEnd& end);

}  // namespace vgg19::bench
