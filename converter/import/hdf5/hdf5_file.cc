#include "converter/import/hdf5/hdf5_file.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "converter/import/byte_reader.h"
#include "converter/import/hdf5/hdf5_records.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

[[noreturn]] void fail(const std::string& name, const std::string& problem) {
    throw Error(ErrorKind::bad_input, name + ": " + problem);
}

/// A child process, which ends at the latest with this object.
class Child {
  public:
    Child(std::span<const std::byte> file, const std::string& name,
          const std::vector<std::string>& attributes) {
        std::array<int, 2> ends{};
        if (pipe(ends.data()) != 0) refuse(name);
        const pid_t parent = getpid();
        process_ = fork();
        if (process_ == 0) {
            close(ends[0]);
            read_hdf5_as_child(file, attributes, ends[1], parent);
        }
        close(ends[1]);
        output_ = ends[0];
        if (process_ < 0) {
            close(output_);
            refuse(name);
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        close(output_);
        if (process_ <= 0) return;
        kill(process_, SIGKILL);
        wait();
    }

    /// Everything that it writes; nothing if that is more than `most` bytes.
    std::optional<std::vector<std::byte>> output(std::size_t most) {
        constexpr std::size_t piece = std::size_t{1} << 16U;
        std::vector<std::byte> bytes;
        std::array<std::byte, piece> buffer{};
        while (true) {
            const ssize_t count = read(output_, buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return bytes;
            if (bytes.size() + static_cast<std::size_t>(count) > most) return {};
            bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + count);
        }
    }
    /// How it ended, as waitpid() tells.
    int wait() {
        int status = 0;
        while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
        process_ = 0;
        return status;
    }

  private:
    [[noreturn]] static void refuse(const std::string& name) {
        throw Error(ErrorKind::failed, name + ": no process to read it in: " + std::strerror(errno));
    }

    pid_t process_ = 0;
    int output_ = -1;
};

/// Checks what the child says: a damaged file may have made it say anything.
class Records {
  public:
    Records(std::span<const std::byte> records, std::span<const std::byte> file, const std::string& name)
        : reader_(records, name, 0, records.size()), file_(file), name_(name) {}

    /// False if the records end too early.
    bool read(Hdf5File& result) {
        while (reader_.remaining() > 0) {
            switch (static_cast<Hdf5Record>(number())) {
                case Hdf5Record::end:
                    return reader_.remaining() == 0;
                case Hdf5Record::failure:
                    fail(name_, std::string(text()));
                case Hdf5Record::absent:
                    throw Error(ErrorKind::failed,
                                name_ + ": it takes the HDF5 library, but " + printable(text()) +
                                    "; install it (Debian's package libhdf5-hl-100, or libhdf5-dev)");
                case Hdf5Record::tensor:
                    result.tensors.push_back(tensor());
                    break;
                case Hdf5Record::attribute: {
                    const std::string path(text());
                    std::vector<std::string>& values = result.attributes[{path, std::string(text())}];
                    for (std::uint64_t count = number(); count > 0; --count) values.emplace_back(text());
                    break;
                }
                case Hdf5Record::unread:
                    result.unread.emplace_back(text());
                    break;
                default:
                    return false;
            }
        }
        return false;
    }

  private:
    std::uint64_t number() { return reader_.number<std::uint64_t>("a number from the HDF5 library"); }
    std::string_view text() { return reader_.text(number(), "a text from the HDF5 library"); }

    StoredTensor tensor() {
        constexpr std::uint64_t most_dimensions = 8;
        constexpr std::uint64_t most_elements = std::uint64_t{1} << 40U;
        StoredTensor tensor{.name = std::string(text())};
        const std::uint64_t dtype = number();
        const bool is_known = dtype <= static_cast<std::uint64_t>(model::DType::bf16);
        tensor.dtype = static_cast<model::DType>(is_known ? dtype : 0);
        const std::uint64_t rank = number();
        std::uint64_t elements = 1;
        for (std::uint64_t i = 0; i < rank && i < most_dimensions; ++i) {
            const std::uint64_t size = number();
            if (size == 0 || size > most_elements / elements) damaged(tensor, "another shape");
            elements *= size;
            tensor.shape.push_back(size);
        }
        if (!is_known || rank > most_dimensions) damaged(tensor, "another type");
        tensor.strides = contiguous_strides(tensor.shape);
        const std::uint64_t offset = number();
        tensor.bytes = reader_.bytes(number(), "an array from the HDF5 library");
        const std::uint64_t bytes = elements * model::dtype_bytes(tensor.dtype);
        if (offset != hdf5_decoded) {
            const bool is_inside = offset <= file_.size() && bytes <= file_.size() - offset;
            if (!is_inside) damaged(tensor, "one that ends behind the file's end");
            tensor.bytes = file_.subspan(offset, bytes);
        }
        if (tensor.bytes.size() != bytes) damaged(tensor, std::to_string(tensor.bytes.size()) + " bytes");
        return tensor;
    }
    [[noreturn]] void damaged(const StoredTensor& tensor, const std::string& found) const {
        fail(name_, "damaged: " + printable(tensor.name) + ": expected an array of numbers, found " + found);
    }

    ByteReader reader_;
    std::span<const std::byte> file_;
    std::string name_;
};

}  // namespace

Hdf5File read_hdf5(std::span<const std::byte> file, const std::string& name,
                   const std::vector<std::string>& attributes, OwnedBytes& owned) {
    Child child(file, name, attributes);
    const std::size_t most = 2 * std::max(hdf5_least_memory, hdf5_memory_factor * file.size());
    std::optional<std::vector<std::byte>> output = child.output(most);
    if (!output) fail(name, "expected a network's weights, found arrays that are too large for the file");
    const int status = child.wait();
    const bool took_too_long =
        WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGALRM);
    if (took_too_long) {
        fail(name, "expected a network's weights, found a file that takes the HDF5 library more than " +
                       std::to_string(hdf5_seconds(file.size())) + " seconds; it may be damaged");
    }
    if (WIFSIGNALED(status)) {
        fail(name, "damaged: the HDF5 library gave up (signal " + std::to_string(WTERMSIG(status)) + ')');
    }
    owned.push_back(*std::move(output));
    Hdf5File result;
    if (Records(owned.back(), file, name).read(result)) return result;
    fail(name, "damaged: the HDF5 library could not read all of it");
}

}  // namespace vgg19::converter
