#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/common/parallel.h"

namespace vgg19::kernels {

namespace {

int cpus_in_affinity_mask() {
    const int dealt_out = detail::cpus_dealt_out_to_threads();
    if (dealt_out > 0) return dealt_out;
    // The system refuses a mask that is smaller than its own, and cpu_set_t ends at 1024 CPUs.
    constexpr std::size_t largest = std::size_t{1} << 16U;
    for (std::vector<cpu_set_t> mask(1); mask.size() * CPU_SETSIZE <= largest; mask.resize(2 * mask.size())) {
        const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
        if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
    }
    return 1;
}

/// Whether "cpu" stands in a list such as "cpu,cpuacct".
bool names_cpu(const std::string& controllers) {
    std::istringstream list(controllers);
    for (std::string name; std::getline(list, name, ',');) {
        if (name == "cpu") return true;
    }
    return false;
}

/// This process's folder below the mount point of a control-group hierarchy: what follows the last colon of
/// its line in /proc/self/cgroup ("0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1).
std::string cgroup_path(bool version2) {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        if (version2 ? controllers.empty() : names_cpu(controllers)) return line.substr(second + 1);
    }
    return "/";
}

double cpus_in_cgroup2(const std::string& folder) {
    std::ifstream file(folder + "/cpu.max");
    double quota = 0;  // or the word "max", which is no number
    double period = 0;
    if (!(file >> quota >> period) || quota <= 0 || period <= 0) {
        return std::numeric_limits<double>::infinity();
    }
    return quota / period;
}

double cpus_in_cgroup1(const std::string& folder) {
    std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
    std::ifstream period_file(folder + "/cpu.cfs_period_us");
    double quota = 0;
    double period = 0;
    if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) {
        return std::numeric_limits<double>::infinity();
    }
    return quota / period;
}

/// A quota holds for all folders below it, so the smallest on the way to the root counts.
double cpus_in_quota() {
    double cpus = std::numeric_limits<double>::infinity();
    for (const bool version2 : {true, false}) {
        std::string path = cgroup_path(version2);
        while (true) {
            cpus = std::min(cpus, version2 ? cpus_in_cgroup2("/sys/fs/cgroup" + path)
                                           : cpus_in_cgroup1("/sys/fs/cgroup/cpu" + path));
            const std::size_t slash = path.rfind('/');
            if (path.empty() || slash == std::string::npos) break;
            path.resize(slash);
        }
    }
    return cpus;
}

}  // namespace

int available_cpus() {
    const int affinity = cpus_in_affinity_mask();
    const double quota = std::ceil(cpus_in_quota());
    return std::max(1, quota < affinity ? static_cast<int>(quota) : affinity);
}

}  // namespace vgg19::kernels
