// Describes the machine and the build of a measurement.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/json.h"
#include "kernels/isa/isa.h"
#include "vgg19/session.h"

namespace vgg19::bench {

struct Cache {
    int level = 0;
    std::string type;  ///< "Data", "Instruction" or "Unified"
    std::uint64_t bytes = 0;
    int shared_by = 1;  ///< logical CPUs
};

/// Unknown texts are "unknown"; unknown numbers are 0.
struct Machine {
    std::string cpu;     ///< model name
    std::string vendor;  ///< "GenuineIntel", "AuthenticAMD", …
    int logical_cpus = 0;
    int affinity_cpus = 0;      ///< that this process may be scheduled on
    int available_threads = 0;  ///< affinity_cpus, limited by the cgroup's quota
    std::vector<Cache> caches;  ///< of the first CPU
    std::uint64_t memory_bytes = 0;
    std::vector<std::string> isas_built;
    std::vector<std::string> isas_supported;  ///< supported by this CPU and its operating system
    std::string isa;                          ///< the one in use
    std::string kernel;                       ///< "Linux 6.1.0-18-amd64 x86_64"
    std::string operating_system;             ///< "Debian GNU/Linux 12 (bookworm)"
};

struct Build {
    std::string version;
    std::string compiler;
    std::string build_type;
    std::string flags;
    std::string threads;  ///< "own pool", or "own pool and OpenMP (oneDNN)"
    std::string onednn;   ///< its version
};

/// The caches of the first CPU, as the system describes them; empty if it does not.
std::vector<Cache> described_caches();

/// The ISA that a session with these options uses: the named one; for "" the value of VGG19_ISA, else the
/// best. Throws Error (usage) for invalid options, such as an ISA that this CPU lacks.
kernels::Isa chosen_isa(const SessionOptions& options);

Machine describe_machine(kernels::Isa isa);
Build describe_build();

model::Json to_json(const Machine& machine);
model::Json to_json(const Build& build);

/// The peak memory of a process, including mapped files: VmHWM in /proc/PROCESS/status; 0 if unknown.
/// `process` is a process id, or "self". (getrusage is unsuitable: a child inherits its parent's value.)
std::uint64_t peak_rss_bytes(const std::string& process);

}  // namespace vgg19::bench
