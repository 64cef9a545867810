#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory_resource>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/callers_function.h"
#include "kernels/common/control_groups.h"
#include "kernels/common/memory.h"
#include "kernels/common/openmp.h"
#include "kernels/common/parallel.h"
#include "kernels/isa/isa.h"

namespace vgg19::kernels {

namespace {

int cpus_in_mask() {
    cpu_set_t mask;
    REQUIRE(sched_getaffinity(0, sizeof mask, &mask) == 0);
    return CPU_COUNT(&mask);
}

/// Counts what is out; can give addresses that are not aligned, and fail.
struct CallersMemory final : std::pmr::memory_resource {
    void* do_allocate(std::size_t size, std::size_t alignment) override {
        if (fails) throw std::logic_error("no memory");
        ++calls;
        bytes += size;
        auto* const data = static_cast<std::byte*>(own->allocate(size + offset, alignment));
        std::fill_n(data, size, std::byte{0xAB});
        return data + offset;
    }
    void do_deallocate(void* data, std::size_t size, std::size_t alignment) override {
        bytes -= size;
        own->deallocate(static_cast<std::byte*>(data) - offset, size + offset, alignment);
    }
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::pmr::memory_resource* own = std::pmr::new_delete_resource();
    std::size_t bytes = 0;
    std::size_t calls = 0;
    std::size_t offset = 0;
    bool fails = false;
};

}  // namespace

TEST_CASE("the name of an ISA leads back to it") {
    std::set<std::string> names;
    for (const Isa isa : all_isas()) {
        names.insert(isa_name(isa));
        CHECK(isa_from_name(isa_name(isa)) == isa);
    }
    CHECK(names.size() == all_isas().size());
    for (const char* name : {"", "AVX2", "avx", "avx2 ", "unknown"}) CHECK(!isa_from_name(name).has_value());
}

TEST_CASE("the best ISA is the last in the list that this CPU has") {
    CHECK(cpu_supports(Isa::portable));
    CHECK(cpu_supports(best_isa()));
    for (const Isa isa : all_isas()) {
        CAPTURE(std::string(isa_name(isa)));
        if (isa > best_isa()) CHECK_FALSE(cpu_supports(isa));
        if (cpu_supports(isa)) CHECK(isa_is_built(isa));
    }
}

TEST_CASE("an ISA runs the kernels of those whose capabilities are among its own") {
    CHECK(runs(Isa::avx512vnni, Isa::avx512));
    CHECK(runs(Isa::avx512vnni, Isa::avx2));
    CHECK(runs(Isa::avx2vnni, Isa::avx2));
    CHECK(runs(Isa::neon_dotprod, Isa::neon));
    CHECK_FALSE(runs(Isa::avx512vnni, Isa::avx2vnni));  // another instruction
    CHECK_FALSE(runs(Isa::avx2vnni, Isa::avx512));
    CHECK_FALSE(runs(Isa::avx512, Isa::avx512vnni));
    CHECK_FALSE(runs(Isa::neon, Isa::avx2));
    for (const Isa isa : all_isas()) {
        CHECK(runs(isa, isa));
        CHECK(runs(isa, Isa::portable));
    }
}

TEST_CASE("indices of the blocked layout are in range and distinct") {
    constexpr std::size_t batch = 2;
    constexpr std::size_t channels = 11;
    constexpr std::size_t height = 3;
    constexpr std::size_t width = 2;
    for (const std::size_t block : {8U, 16U}) {
        std::vector<int> hits(blocked_size(batch, channels, height, width, block));
        REQUIRE(hits.size() == batch * 16 * height * width);
        for (std::size_t image = 0; image < batch; ++image) {
            for (std::size_t channel = 0; channel < channels; ++channel) {
                for (std::size_t row = 0; row < height; ++row) {
                    for (std::size_t column = 0; column < width; ++column) {
                        ++hits.at(blocked_index(channels, height, width, block, image, channel, row, column));
                    }
                }
            }
        }
        CHECK(std::count(hits.begin(), hits.end(), 1) == batch * channels * height * width);
    }
}

TEST_CASE("parts cover a range without gap or overlap") {
    for (const std::size_t granularity : {1U, 8U, 16U}) {
        for (std::size_t size = 0; size < 70; ++size) {
            for (std::size_t parts = 1; parts < 12; ++parts) {
                std::size_t position = 0;
                for (std::size_t index = 0; index < parts; ++index) {
                    const Range range = part_of(size, parts, index, granularity);
                    REQUIRE(range.begin == position);
                    REQUIRE(range.end >= range.begin);
                    REQUIRE((range.end % granularity == 0 || range.end == size));
                    position = range.end;
                }
                REQUIRE(position == size);
            }
        }
    }
}

TEST_CASE("a buffer is zero, aligned, and moves") {
    for (const std::size_t bytes : {1U, 63U, 64U, 65U, 4096U, (2U << 20U) - 1U, (4U << 20U) + 1U}) {
        CAPTURE(bytes);
        AlignedBuffer buffer(bytes);
        REQUIRE(buffer.size() == bytes);
        CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
        CHECK(
            std::all_of(buffer.data(), buffer.data() + bytes, [](std::byte b) { return b == std::byte{}; }));
        buffer.data()[bytes - 1] = std::byte{1};
        const AlignedBuffer moved = std::move(buffer);
        CHECK(moved.size() == bytes);
        CHECK(moved.data()[bytes - 1] == std::byte{1});
        // NOLINTNEXTLINE(bugprone-use-after-move): what a moved-from buffer says is part of the contract.
        CHECK((buffer.size() == 0 && buffer.data() == nullptr));
    }
    CHECK(AlignedBuffer(0).data() == nullptr);
    CHECK_THROWS_AS(AlignedBuffer(SIZE_MAX - 1), std::bad_alloc);
}

TEST_CASE("buffers in a caller's memory are zeroed and given back") {
    CallersMemory memory;
    for (const std::size_t bytes :
         {std::size_t{1}, std::size_t{64}, std::size_t{65}, std::size_t{3} << 20U}) {
        AlignedBuffer buffer(bytes, &memory);
        REQUIRE(buffer.size() == bytes);
        CHECK(memory.bytes == (bytes + 63) / 64 * 64);
        CHECK(std::all_of(buffer.data(), buffer.data() + bytes,
                          [](std::byte value) { return value == std::byte{0}; }));
        AlignedBuffer moved = std::move(buffer);
        moved = AlignedBuffer(bytes);  // the library's own
        CHECK(memory.bytes == 0);
    }
    CHECK(AlignedBuffer(0, &memory).data() == nullptr);
    CHECK(memory.calls == 4);
    CHECK_THROWS_AS(AlignedBuffer(SIZE_MAX - 1, &memory), std::bad_alloc);
    memory.offset = 4;
    CHECK_THROWS_WITH_AS(
        AlignedBuffer(100, &memory),
        "workspace: expected memory aligned to 64 bytes, found an address 4 bytes behind that",
        std::runtime_error);
    CHECK(memory.bytes == 0);
    memory.fails = true;
    try {
        AlignedBuffer(100, &memory);
        FAIL("expected an exception");
    } catch (const CallersException& failure) {
        CHECK_THROWS_WITH_AS(std::rethrow_exception(failure.exception), "no memory", std::logic_error);
    }
}

TEST_CASE("available CPUs follow the affinity mask") {
    CHECK(available_cpus() >= 1);
    if (!cpus_dealt_out_by_openmp().empty()) return;  // OMP_PROC_BIND: masks are not meaningful
    CHECK(available_cpus() <= cpus_in_mask());
    // In a separate thread, so that this one keeps its mask.
    std::thread([] {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
        REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
        CHECK(available_cpus() == 1);
    }).join();
}

TEST_CASE("a process's control groups go from its own folder up to the root") {
    for (const ControlGroups version : {ControlGroups::version1, ControlGroups::version2}) {
        const std::vector<std::string> folders = control_group_folders(version, "memory");
        REQUIRE_FALSE(folders.empty());
        for (std::size_t i = 1; i < folders.size(); ++i) CHECK(folders[i - 1].starts_with(folders[i]));
        CHECK(folders.back() ==
              (version == ControlGroups::version1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup"));
    }
}

TEST_CASE("available memory is less than the machine's") {
    CHECK(available_memory_bytes() > 0);
    const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
    CHECK(available_memory_bytes() < pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
}

}  // namespace vgg19::kernels
