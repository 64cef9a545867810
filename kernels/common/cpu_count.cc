#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "kernels/common/control_groups.h"
#include "kernels/common/openmp.h"
#include "kernels/common/parallel.h"

namespace vgg19::kernels {

namespace {

int cpus_in_affinity_mask() {
    const std::vector<int> dealt_out = cpus_dealt_out_by_openmp();
    if (!dealt_out.empty()) return static_cast<int>(dealt_out.size());
    // The system rejects a mask smaller than its own, and cpu_set_t is limited to 1024 CPUs.
    constexpr std::size_t largest = std::size_t{1} << 16U;
    for (std::vector<cpu_set_t> mask(1); mask.size() * CPU_SETSIZE <= largest; mask.resize(2 * mask.size())) {
        const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
        if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
    }
    return 1;
}

double cpus_in_cgroup2(const std::string& folder) {
    std::ifstream file(folder + "/cpu.max");
    double quota = 0;  // fails for the word "max"
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

double cpus_in_quota() {
    double cpus = std::numeric_limits<double>::infinity();
    for (const std::string& folder : control_group_folders(ControlGroups::version2, "cpu")) {
        cpus = std::min(cpus, cpus_in_cgroup2(folder));
    }
    for (const std::string& folder : control_group_folders(ControlGroups::version1, "cpu")) {
        cpus = std::min(cpus, cpus_in_cgroup1(folder));
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
