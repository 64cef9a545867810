#include "tools/training_report.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

using namespace vgg19;
using namespace vgg19::tools;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

namespace {

constexpr const char* head = "step,epoch,images,loss,accuracy,learning_rate,seconds\n";

converter::TrainingStep step(std::uint64_t number) {
    return {.step = number,
            .epoch = 1,
            .images = 4 * number,
            .loss = 0.5,
            .accuracy = 0.25,
            .learning_rate = 0.125,
            .seconds = 1.5};
}

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("A log has one line per step, also after resuming from a checkpoint") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "log.csv";
    {
        TrainingLog log(path, 0);
        CHECK(content(path) == head);
        for (const std::uint64_t number : {1U, 2U, 3U}) log.add(step(number));
    }
    const std::string two = std::string(head) + "1,1,4,0.5,0.25,0.125,1.500\n2,1,8,0.5,0.25,0.125,1.500\n";
    CHECK(content(path) == two + "3,1,12,0.5,0.25,0.125,1.500\n");
    std::ofstream(path, std::ios::app) << "4,1,1";  // the process was killed
    {
        TrainingLog log(path, 2);
        CHECK(content(path) == two);
        log.add(step(3));
    }
    CHECK(content(path) == two + "3,1,12,0.5,0.25,0.125,1.500\n");
    { const TrainingLog log(path, 0); }
    CHECK(content(path) == head);
}

TEST_CASE("A log does not continue another file") {
    const TemporaryFolder folder;
    std::ofstream(folder / "notes.txt") << "notes";
    CHECK(error_of(ErrorKind::usage, [&] { TrainingLog(folder / "notes.txt", 5); }) ==
          Containing("notes.txt: expected the log"));
    CHECK(content(folder / "notes.txt") == "notes");
}

TEST_CASE("A plan shows its steps, parts, threads and bytes") {
    converter::TrainingPlan plan = {.images = 100,
                                    .epochs = 1,
                                    .steps = 4,
                                    .done = 0,
                                    .batch = 32,
                                    .micro_batch = 32,
                                    .threads = 1,
                                    .bytes = 4'200'000'000};
    CHECK(plan_text(plan) == "4 steps of 32 images, 1 thread, 4200.0 MB");
    plan.micro_batch = 11;
    plan.threads = 2;
    plan.done = 3;
    CHECK(plan_text(plan) ==
          "4 steps of 32 images (3 parts of at most 11), 2 threads, 4200.0 MB; 3 steps are done");
}
