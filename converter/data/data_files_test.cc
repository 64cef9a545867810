// Which files a data set reads, skips and refuses.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/data/testing/pictures.h"
#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

namespace vgg19::converter {

namespace {

using namespace std::string_literals;
using testing::grey_records;
using testing::write_file;
using testing::write_grey;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

std::string description_of(const std::filesystem::path& path, DataUse use) {
    return description(*open_data_set(path, use));
}

std::string refusal(const std::filesystem::path& path) {
    return error_of(ErrorKind::bad_input, [&] { open_data_set(path); });
}

std::vector<std::string> names_of(const DataSet& data, const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (std::size_t item = 0; item < data.size(); ++item) {
        names.push_back(std::filesystem::path(data.name(item)).lexically_relative(folder).string());
    }
    return names;
}

}  // namespace

TEST_CASE("a folder of CIFAR-10's files means its training batches or its test batch") {
    const TemporaryFolder folder;
    write_file(folder / "data_batch_2.bin", grey_records(2, "cd"));
    write_file(folder / "data_batch_1.bin", grey_records(1, "ab"));
    write_file(folder / "test_batch.bin", grey_records(3, "x"));
    write_file(folder / "batches.meta.txt", "airplane\n");
    CHECK(description_of(folder.path(), DataUse::training) ==
          "4 images in 2 files (data_batch_1.bin, data_batch_2.bin); left out: test_batch.bin, 1 .txt");
    CHECK(description_of(folder.path(), DataUse::evaluation) ==
          "1 image in 1 file (test_batch.bin); left out: data_batch_1.bin, data_batch_2.bin, 1 .txt");
    CHECK(description_of(folder / "test_batch.bin", DataUse::training) ==
          "1 image in 1 file (test_batch.bin)");
    std::filesystem::remove(folder / "test_batch.bin");
    CHECK(description_of(folder.path(), DataUse::evaluation) ==
          "4 images in 2 files (data_batch_1.bin, data_batch_2.bin); left out: 1 .txt");
}

TEST_CASE("files with other names are all used, except the test batch in training") {
    const TemporaryFolder folder;
    write_file(folder / "b.bin", grey_records(1, "a"));
    write_file(folder / "a.bin", grey_records(1, "b"));
    CHECK(description_of(folder.path(), DataUse::training) == "2 images in 2 files (a.bin, b.bin)");
    write_file(folder / "test_batch.bin", grey_records(1, "c"));
    CHECK(description_of(folder.path(), DataUse::training) ==
          "2 images in 2 files (a.bin, b.bin); left out: test_batch.bin");
    std::filesystem::remove(folder / "a.bin");
    std::filesystem::remove(folder / "b.bin");
    write_grey(folder / "photos/a.ppm", 1);
    CHECK(description_of(folder.path(), DataUse::training) ==
          "1 image in 1 file (test_batch.bin); left out: photos/");
}

TEST_CASE("images at any depth below a class folder are found, and other files counted by extension") {
    const TemporaryFolder folder;
    write_grey(folder / "ant/images/2.ppm", 2);
    write_grey(folder / "ant/images/deep/er/1.PPM", 1);
    write_grey(folder / "ant/0.ppm", 0);
    write_grey(folder / "bee/.hidden/9.ppm", 9);
    write_grey(folder / "bee/3.ppm", 3);
    for (const char* name : {"ant/a.tif", "ant/images/b.TIF", "bee/c.heic", "bee/boxes.txt", "notes.txt",
                             "bee/README", ".DS_Store", "bee/._3.ppm"}) {
        write_file(folder / name, "not read");
    }
    const auto data = open_data_set(folder.path());
    CHECK(names_of(*data, folder.path()) ==
          std::vector<std::string>{"ant/0.ppm", "ant/images/2.ppm", "ant/images/deep/er/1.PPM", "bee/3.ppm"});
    CHECK(data->label(2) == 0U);
    CHECK(data->label(3) == 1U);
    CHECK(description(*data) ==
          "4 images in 2 class folders; left out: 1 .heic (pictures that this build does not read), 2 .tif "
          "(pictures that this build does not read), 1 without an extension, 2 .txt");
}

TEST_CASE("images are read according to the options") {
    const TemporaryFolder folder;
    write_grey(folder / "a.ppm", 1);
    CHECK(open_data_set(folder.path())->picture(0).width == 32);
    ImageOptions small;
    small.limits.max_pixels = 1000;
    const auto data = open_data_set(folder.path(), DataUse::training, small);
    CHECK(error_of(ErrorKind::bad_input, [&] { data->picture(0); }) == Containing("a.ppm"));
}

TEST_CASE("links to folders are followed, and loops of links end") {
    const TemporaryFolder folder;
    const TemporaryFolder elsewhere;
    write_grey(elsewhere / "ant/1.ppm", 1);
    write_grey(elsewhere / "ant/inner/2.ppm", 2);
    std::filesystem::create_directory_symlink(elsewhere / "ant", elsewhere / "ant/inner/loop");
    std::filesystem::create_directory_symlink(elsewhere / "ant/self", elsewhere / "ant/self");
    std::filesystem::create_directory_symlink(elsewhere / "ant", folder / "ant");
    write_grey(folder / "bee/3.ppm", 3);
    const auto data = open_data_set(folder.path());
    CHECK(data->class_names() == std::vector<std::string>{"ant", "bee"});
    CHECK(names_of(*data, folder.path()) ==
          std::vector<std::string>{"ant/1.ppm", "ant/inner/2.ppm", "bee/3.ppm"});
}

TEST_CASE("folders of training and test pictures are not classes") {
    const TemporaryFolder folder;
    for (const char* part : {"train", "val"}) {
        for (const char* name : {"ant", "bee"}) write_grey(folder / part / name / "1.ppm", 1);
    }
    CHECK(refusal(folder.path()) == Containing("found parts of a data set, train, val: name one of them"));
    CHECK(refusal(folder.path()) == Containing((folder / "train").string()));
    CHECK(open_data_set(folder / "train")->class_names() == std::vector<std::string>{"ant", "bee"});

    const TemporaryFolder one;
    write_grey(one / "Train/ant/1.ppm", 1);
    CHECK(refusal(one.path()) == Containing("found parts of a data set, Train"));
    const TemporaryFolder flat;
    write_grey(flat / "train/1.ppm", 1);
    write_grey(flat / "test/2.ppm", 1);
    CHECK(refusal(flat.path()) == Containing("found parts of a data set, test, train"));

    const TemporaryFolder vehicles;  // a class named train, among other classes
    write_grey(vehicles / "bus/1.ppm", 1);
    write_grey(vehicles / "train/1.ppm", 2);
    CHECK(open_data_set(vehicles.path())->size() == 2);
}

TEST_CASE("parts of a data set are recognised within longer names, and next to other folders") {
    for (const auto& [one, other] : {std::pair{"seg_train", "seg_test"},
                                     {"train_images", "test_images"},
                                     {"train2017", "val2017"},
                                     {"dogs-train", "dogs-val"}}) {
        const TemporaryFolder flat;
        write_grey(flat / one / "1.ppm", 1);
        write_grey(flat / other / "2.ppm", 2);
        CHECK(refusal(flat.path()) == Containing("found parts of a data set"));
    }
    const TemporaryFolder more;
    for (const char* place : {"train/ant", "val/ant", "extra/ant"}) write_grey(more / place / "1.ppm", 1);
    CHECK(refusal(more.path()) == Containing("found parts of a data set, train, val: "));
}

TEST_CASE("classes with names that contain words for parts of a data set are still classes") {
    for (const auto& [one, other] : {std::pair{"test_positive", "test_negative"},
                                     {"train", "bus"},
                                     {"bullet train", "steam train"},
                                     {"latest", "valley"}}) {
        const TemporaryFolder folder;
        write_grey(folder / one / "images/1.ppm", 1);
        write_grey(folder / other / "images/2.ppm", 2);
        CHECK(open_data_set(folder.path())->size() == 2);
    }
}

TEST_CASE("files created by file managers and network disks do not count") {
    const TemporaryFolder folder;
    write_grey(folder / "ant/1.ppm", 1);
    write_grey(folder / "ant/@eaDir/1.ppm/thumbnail.ppm", 1);
    write_grey(folder / "ant/@eaDir/small.ppm", 1);
    write_file(folder / "__MACOSX/ant/._1.ppm", "not a picture");
    const auto data = open_data_set(folder.path());
    CHECK(data->class_names() == std::vector<std::string>{"ant"});
    CHECK(description(*data) == "1 image in 1 class folder");
}

TEST_CASE("pipes, and pictures next to CIFAR-10's files, are counted as left out") {
    const TemporaryFolder folder;
    write_grey(folder / "ant/1.ppm", 1);
    REQUIRE(mkfifo((folder / "ant/2.ppm").c_str(), 0600) == 0);
    CHECK(description(*open_data_set(folder.path())) == "1 image in 1 class folder; left out: 1 .ppm");

    const TemporaryFolder cifar;
    write_file(cifar / "data_batch_1.bin", grey_records(1, "a"));
    write_grey(cifar / "example.ppm", 1);
    CHECK(description_of(cifar.path(), DataUse::training) ==
          "1 image in 1 file (data_batch_1.bin); left out: 1 .ppm");
}

TEST_CASE(".bin files next to pictures count as CIFAR-10's only if they can be") {
    const TemporaryFolder folder;
    write_grey(folder / "ant/1.ppm", 1);
    write_file(folder / "pytorch_model.bin", "weights");
    std::filesystem::create_symlink("loop.bin", folder / "loop.bin");
    CHECK(description(*open_data_set(folder.path())) == "1 image in 1 class folder; left out: 2 .bin");
    write_file(folder / "other.bin", grey_records(1, "a"));
    CHECK(refusal(folder.path()) == Containing("pytorch_model.bin: expected CIFAR-10's records"));

    const TemporaryFolder broken;
    write_file(broken / "data_batch_1.bin", grey_records(1, "a").substr(1));
    write_grey(broken / "example.ppm", 1);
    CHECK(refusal(broken.path()) == Containing("data_batch_1.bin: expected CIFAR-10's records"));
}

TEST_CASE("the error for a folder without images says what is there") {
    const TemporaryFolder folder;
    write_file(folder / "ant/1.jxl", "no");
    write_file(folder / "ant/2.tiff", "II*");
    write_file(folder / "labels.csv", "1,2");
    const std::string message = refusal(folder.path());
    CHECK(message == Containing("found none; what is there: "));
    CHECK(message == Containing("1 .tiff (pictures that this build does not read)"));
    CHECK(message == Containing("1 .csv"));

    const TemporaryFolder python;
    write_file(python / "data_batch_1", "\x80\x02}q\x01"s);
    CHECK(
        refusal(python.path()) ==
        Containing("data_batch_1 is a pickle, such as CIFAR-10's version for Python: use CIFAR-10's binary"));
    const TemporaryFolder outer;
    write_file(outer / "cifar-10-batches-bin/data_batch_1.bin", grey_records(1, "a"));
    CHECK(refusal(outer.path()) == Containing("did you mean " + (outer / "cifar-10-batches-bin").string()));
}

TEST_CASE("the error for another data set's files names it, and what to use instead") {
    const TemporaryFolder folder;
    const std::vector<std::pair<std::string, std::string>> kinds = {
        {"\x80\x04\x95"s, "a pickle, such as CIFAR-10's version for Python: use CIFAR-10's binary version"},
        {"MATLAB 5.0 MAT-file, Platform"s, "CIFAR-10's version for Matlab"},
        {"\0\0\x08\x03\0\0\xea\x60"s, "MNIST's images (an IDX file): save its pictures as PNG files"},
        {"\0\0\x08\x01\0\0\xea\x60"s, "MNIST's labels"},
        {"\x1f\x8b\x08"s, "a gzip archive: unpack it"},
        {"PK\x03\x04"s, "a zip archive: unpack it"},
        {std::string(257, 'a') + "ustar", "a tar archive: unpack it"},
        {"PAR1"s, "a Parquet file"},
        {"\x93NUMPY"s, "a NumPy array"},
        {"\xff\xd8\xff\xe0"s, "one picture: give the folder that contains it"},
        {"\x89PNG\r\n\x1a\n"s, "one picture"},
        {"version https://git-lfs.github.com/spec/v1\n"s, "git lfs pull"},
        {std::string(2 * 3074, '\1'), "CIFAR-100's records"},
        {std::string(std::size_t{96} * 96 * 3, '\1'), "STL-10's pictures"}};
    for (const auto& [bytes, expected] : kinds) {
        write_file(folder / "file", bytes);
        CHECK(refusal(folder / "file") ==
              Containing("file: expected CIFAR-10's binary file or a folder of images, found "));
        CHECK(refusal(folder / "file") == Containing(expected));
    }
    write_file(folder / "train", "\x80\x02}"s);
    CHECK(refusal(folder / "train") == Containing("CIFAR-100's version for Python"));
}

}  // namespace vgg19::converter
