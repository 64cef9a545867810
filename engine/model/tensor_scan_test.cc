#include "engine/model/tensor_scan.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "engine/model/sha256.h"

namespace vgg19::model {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

Tensor tensor_of(const std::string& name, const std::vector<float>& values) {
    return {name, DType::f32, {values.size()}, std::as_bytes(std::span(values))};
}

}  // namespace

TEST_CASE("the first NaN or infinity is found wherever it stands") {
    for (const std::size_t count : {1U, 7U, 8U, 33U, 200'000U}) {  // the last spans more than one piece
        for (const float bad : {std::nanf(""), -std::nanf(""), infinity, -infinity}) {
            for (const std::size_t index : {std::size_t{0}, count / 2, count - 1}) {
                std::vector<float> values(count, std::numeric_limits<float>::max());
                CHECK_FALSE(first_not_finite(values));
                values[index] = bad;
                values.back() = bad;
                CHECK(first_not_finite(values) == index);
                CHECK(scan_tensors(std::vector{tensor_of("t", values)})[0].first_not_finite == index);
            }
        }
    }
}

TEST_CASE("denormals, zeros and the largest numbers are finite") {
    const float smallest = std::numeric_limits<float>::denorm_min();
    const float largest = std::numeric_limits<float>::max();
    CHECK_FALSE(first_not_finite(std::vector{0.0F, -0.0F, smallest, -smallest, largest, -largest}));
    CHECK_FALSE(first_not_finite({}));
}

TEST_CASE("results come in the tensors' order, with the digest of each") {
    std::vector<std::vector<float>> values;
    std::vector<Tensor> tensors;
    for (const std::size_t count : {5U, 70'000U, 0U, 140'000U, 64U}) {
        values.emplace_back(count, static_cast<float>(count));
    }
    tensors.reserve(values.size());
    for (const auto& each : values) tensors.push_back(tensor_of(std::to_string(each.size()), each));
    const std::vector<TensorScan> scans = scan_tensors(tensors);
    REQUIRE(scans.size() == tensors.size());
    for (std::size_t i = 0; i < scans.size(); ++i) {
        CHECK(scans[i].sha256 == sha256_hex(tensors[i].bytes));
        CHECK_FALSE(scans[i].first_not_finite);
    }
}

TEST_CASE("only floats are checked for NaN") {
    const std::vector<std::byte> bytes(64, std::byte{0xFF});
    const Tensor tensor{"t", DType::i8, {64}, bytes};
    CHECK_FALSE(scan_tensors(std::vector{tensor})[0].first_not_finite);
}

TEST_CASE("progress increases, and is reported on the calling thread") {
    const std::vector<float> values(500'000, 1.0F);
    const std::vector<Tensor> tensors(4, tensor_of("t", values));
    const std::uint64_t bytes = 4 * values.size() * sizeof(float);
    std::uint64_t last = 0;
    scan_tensors(tensors, [&, caller = std::this_thread::get_id()](std::uint64_t done, std::uint64_t total) {
        CHECK(std::this_thread::get_id() == caller);
        CHECK(total == bytes);
        CHECK(done > last);
        CHECK(done <= total);
        last = done;
    });
}

TEST_CASE("an exception from progress ends the scan") {
    const std::vector<float> values(500'000, 1.0F);
    CHECK_THROWS_AS(scan_tensors(std::vector<Tensor>(4, tensor_of("t", values)),
                                 [](std::uint64_t, std::uint64_t) { throw 1; }),
                    int);
}

}  // namespace vgg19::model
