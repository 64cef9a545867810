#include "tools/features/picture_reader.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

#include "vgg19/error.h"

namespace vgg19::tools {

PictureReader::PictureReader(std::vector<std::size_t> indices, ReadPicture read, std::size_t threads,
                             Ahead ahead)
    : indices_(std::move(indices)), read_(std::move(read)), ahead_(ahead) {
    const std::size_t useful = std::clamp<std::size_t>(indices_.size(), 1, std::max<std::size_t>(threads, 1));
    threads_.reserve(useful);
    try {
        for (std::size_t i = 0; i < useful; ++i) threads_.emplace_back([this] { read_all(); });
    } catch (const std::system_error&) {  // the system refuses more: those that there are read, or next()
    } catch (const std::bad_alloc&) {     // the same
    }
}

PictureReader::~PictureReader() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

std::optional<PictureInput> PictureReader::next() {
    std::unique_lock lock(mutex_);
    if (taken_ == indices_.size()) return std::nullopt;
    Read read;
    if (threads_.empty()) {
        read = read_one(taken_);
    } else {
        changed_.wait(lock, [this] { return failure_ || waiting_.contains(taken_); });
        if (failure_) std::rethrow_exception(failure_);
        read = std::move(waiting_.extract(taken_).mapped());
        waiting_bytes_ -= bytes_of(read);
    }
    ++taken_;
    lock.unlock();
    changed_.notify_all();
    if (read.error) std::rethrow_exception(read.error);
    return std::move(read.input);
}

bool PictureReader::may_begin() const {
    if (begun_ == taken_) return true;
    return begun_ < taken_ + std::max<std::size_t>(ahead_.pictures, 1) && waiting_bytes_ < ahead_.bytes;
}

void PictureReader::read_all() {
    try {
        read_until_done();
    } catch (...) {  // no memory
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
        stopping_ = true;
    }
    changed_.notify_all();
}

void PictureReader::read_until_done() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || begun_ == indices_.size() || may_begin(); });
        if (stopping_ || begun_ == indices_.size()) return;
        const std::size_t position = begun_++;
        lock.unlock();
        Read read = read_one(position);
        lock.lock();
        const std::size_t bytes = bytes_of(read);
        waiting_.emplace(position, std::move(read));
        waiting_bytes_ += bytes;
        changed_.notify_all();
    }
}

PictureReader::Read PictureReader::read_one(std::size_t position) const {
    Read read;
    try {
        read.input = read_(indices_[position]);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::bad_input) {
            read.input.problem = error.what();
        } else {
            read.error = std::current_exception();
        }
    } catch (...) {
        read.error = std::current_exception();
    }
    read.input.index = indices_[position];
    return read;
}

std::size_t PictureReader::bytes_of(const Read& read) {
    return read.input.values.size() * sizeof(float);
}

}  // namespace vgg19::tools
