// For tests: hashes of kernel results, to detect unintended changes.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <utility>

namespace vgg19::kernels::testing {

/// Hashes the bits that each kernel gives in one test case, and compares them with
/// kernels/testdata/golden_hashes.txt. Kernels that are not in that file are skipped: a CPU may lack some,
/// and new ones have no hashes yet. With VGG19_WRITE_GOLDEN=FILE, appends this run's hashes to a file
/// instead.
class Golden {
  public:
    explicit Golden(std::string test) : test_(std::move(test)) {}

    template <class Values>
    void add(const std::string& kernel, const Values& values) {
        add_bytes(kernel, std::as_bytes(std::span(std::data(values), std::size(values))));
    }

    /// At the end of the test case.
    void check() const {
        if (std::getenv("VGG19_TEST_SEED") != nullptr) return;  // other inputs give other bits
        if (const char* file = std::getenv("VGG19_WRITE_GOLDEN")) {
            std::ofstream stream(file, std::ios::app);
            for (const auto& [kernel, hash] : hashes_) stream << line(kernel, hash) << '\n';
            return;
        }
        const std::map<std::string, std::string> table = read_table();
        for (const auto& [kernel, hash] : hashes_) {
            const auto golden = table.find(test_ + ' ' + kernel);
            if (golden == table.end()) continue;
            CHECK(line(kernel, hash) == golden->first + ' ' + golden->second);
        }
    }

  private:
    void add_bytes(const std::string& kernel, std::span<const std::byte> bytes) {
        constexpr std::uint64_t offset_basis = 0xcbf29ce484222325U;  // FNV-1a's
        constexpr std::uint64_t prime = 0x100000001b3U;
        std::uint64_t& hash = hashes_.emplace(kernel, offset_basis).first->second;
        for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * prime;
    }

    std::string line(const std::string& kernel, std::uint64_t hash) const {
        std::ostringstream text;
        text << test_ << ' ' << kernel << ' ' << std::hex << hash;
        return text.str();
    }

    /// "TEST KERNEL" → hash.
    static std::map<std::string, std::string> read_table() {
        std::ifstream stream(VGG19_KERNEL_TESTDATA "/golden_hashes.txt");
        REQUIRE_MESSAGE(stream.good(), "cannot open golden_hashes.txt");
        std::map<std::string, std::string> table;
        for (std::string test, kernel, hash; stream >> test >> kernel >> hash;) {
            table.emplace(test + ' ' + kernel, hash);
        }
        return table;
    }

    std::string test_;
    std::map<std::string, std::uint64_t> hashes_;
};

}  // namespace vgg19::kernels::testing
