// What a caller's log is told of a plan.
#pragma once

#include <string>
#include <vector>

#include "engine/program/plan.h"
#include "vgg19/session.h"

namespace vgg19 {

struct Note {
    LogLevel level{};
    std::string text;
};

/// What the caller may not expect of a plan for these options: an ISA that the environment forces, more
/// threads than CPUs, a CPU of which no constants are known, layers that do not run the convolution that was
/// asked for.
std::vector<Note> surprises(const Plan& plan, const SessionOptions& options);

/// What was planned, and what runs each step. `verb` begins the text: "planned".
std::vector<Note> decisions(const std::string& verb, const Plan& plan, const std::vector<PlanStep>& steps);

/// Does nothing without a log. Throws CallersException (kernels/common/callers_function.h).
void tell(const Log& log, const std::vector<Note>& notes);

}  // namespace vgg19
