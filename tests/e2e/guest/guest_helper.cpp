// Test rig only, not part of the product. Runs inside the guest and serves two virtio-serial ports:
//  org.clockmend.test.observer  line "ID" -> line "ID REALTIME MONOTONIC BOOTTIME RAW" (nanoseconds)
//  org.clockmend.test.exec      "VERB ID DEADLINE_MS ARG_BYTES DATA_BYTES\n" ARG DATA
//                               -> "ID EXIT_CODE FLAGS OUT_BYTES\n" OUT
// VERB is exec (ARG: shell command, DATA: its input), push (ARG: path), pull (ARG: path). FLAGS: bit 0
// deadline passed, bit 1 output truncated. A process per port, so that a long command never delays the observer.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ctime>

namespace {

constexpr std::size_t kMaxRequest = 64U << 20U;
constexpr std::size_t kMaxOutput = 8U << 20U;
constexpr int kFlagDeadline = 1;
constexpr int kFlagTruncated = 2;

std::int64_t now_ns(clockid_t id) {
  timespec ts{};
  ::clock_gettime(id, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

void nap_ms(long ms) {
  const timespec ts{ms / 1000, (ms % 1000) * 1'000'000};
  ::nanosleep(&ts, nullptr);
}

// The port of that name as the kernel lists it: works before udev made its links.
std::optional<std::string> find_port(std::string_view wanted) {
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/virtio-ports", ec)) {
    std::ifstream file(entry.path() / "name");
    std::string name;
    if (std::getline(file, name) && name == wanted) return "/dev/" + entry.path().filename().string();
  }
  return std::nullopt;
}

int open_port(std::string_view name) {
  for (;;) {
    if (const auto path = find_port(name)) {
      const int fd = ::open(path->c_str(), O_RDWR | O_CLOEXEC);
      if (fd >= 0) return fd;
    }
    nap_ms(50);
  }
}

// Blocking stream over a port. read() returns 0 while no host is connected
// (drivers/char/virtio_console.c), which only means: try again.
class Port {
 public:
  explicit Port(std::string_view name) : name_(name), fd_(open_port(name)) {}

  char get() {
    if (at_ == size_) fill();
    return buffer_.at(at_++);
  }
  std::string line() {
    std::string text;
    for (char c = get(); c != '\n'; c = get()) {
      if (text.size() < 4096) text += c;
    }
    return text;
  }
  std::string bytes(std::size_t count) {
    std::string data;
    data.reserve(count);
    while (data.size() < count) {
      if (at_ == size_) fill();
      const std::size_t take = std::min(count - data.size(), size_ - at_);
      data.append(buffer_.data() + at_, take);
      at_ += take;
    }
    return data;
  }
  void put(std::string_view data) {
    while (!data.empty()) {
      const ssize_t n = ::write(fd_, data.data(), std::min<std::size_t>(data.size(), 16384));
      if (n > 0) {
        data.remove_prefix(static_cast<std::size_t>(n));
      } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
        return;
      }
    }
  }

 private:
  void fill() {
    for (;;) {
      const ssize_t n = ::read(fd_, buffer_.data(), buffer_.size());
      if (n > 0) {
        at_ = 0;
        size_ = static_cast<std::size_t>(n);
        return;
      }
      if (n < 0 && errno != EINTR && errno != EAGAIN) {
        ::close(fd_);
        fd_ = open_port(name_);
      }
      nap_ms(10);
    }
  }

  std::string name_;
  int fd_;
  std::array<char, 65536> buffer_{};
  std::size_t at_ = 0;
  std::size_t size_ = 0;
};

[[noreturn]] void serve_observer() {
  // The answer must not wait behind what the guest does: the offset is known to half the round trip.
  const sched_param param{10};
  ::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
  Port port("org.clockmend.test.observer");
  for (;;) {
    const std::string id = port.line();
    std::array<char, 256> text{};
    const int n = std::snprintf(text.data(), text.size(), "%.64s %lld %lld %lld %lld\n", id.c_str(),
                                static_cast<long long>(now_ns(CLOCK_REALTIME)), static_cast<long long>(now_ns(CLOCK_MONOTONIC)),
                                static_cast<long long>(now_ns(CLOCK_BOOTTIME)), static_cast<long long>(now_ns(CLOCK_MONOTONIC_RAW)));
    port.put({text.data(), static_cast<std::size_t>(n)});
  }
}

struct Outcome {
  int code = 0;
  int flags = 0;
  std::string output;
};

void keep(Outcome& outcome, const char* data, std::size_t size) {
  const std::size_t room = kMaxOutput - outcome.output.size();
  outcome.output.append(data, std::min(size, room));
  if (size > room) outcome.flags |= kFlagTruncated;
}

// Input goes through an unlinked file, so a command that never reads cannot block us.
int input_file(const std::string& data) {
  std::string path = "/run/lab-input-XXXXXX";
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::unlink(path.c_str());
  std::string_view rest = data;
  while (!rest.empty()) {
    const ssize_t n = ::write(fd, rest.data(), rest.size());
    if (n <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

[[noreturn]] void become_shell(const std::string& command, int in, int out) {
  ::setpgid(0, 0);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  ::setenv("LC_ALL", "C", 1);
  ::setenv("HOME", "/root", 1);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
  ::_exit(127);
}

// Collects output until the command exits (what it left in the background may keep the pipe) or the deadline.
void collect(Outcome& outcome, pid_t child, int out, std::int64_t deadline) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  std::array<char, 65536> buffer{};
  bool exited = false;
  for (;;) {
    const std::int64_t left_ms = (deadline - now_ns(CLOCK_MONOTONIC)) / 1'000'000;
    if (left_ms <= 0) {
      outcome.flags |= kFlagDeadline;
      ::kill(-child, SIGKILL);
      break;
    }
    std::array<pollfd, 2> fds{{{out, POLLIN, 0}, {exited ? -1 : pidfd, POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), exited ? 20 : static_cast<int>(std::min<std::int64_t>(left_ms, 1000)));
    if (fds[0].revents != 0) {
      const ssize_t n = ::read(out, buffer.data(), buffer.size());
      if (n > 0) keep(outcome, buffer.data(), static_cast<std::size_t>(n));
      if (n <= 0 && exited) break;
      if (n == 0) {
        // Output closed first: only the exit is left to wait for.
        pollfd only{pidfd, POLLIN, 0};
        if (::poll(&only, 1, static_cast<int>(left_ms)) <= 0) continue;
        break;
      }
      continue;
    }
    if (exited && ready == 0) break;
    if (fds[1].revents != 0) exited = true;
  }
  ::close(pidfd);
}

Outcome run(const std::string& command, const std::string& input, long deadline_ms) {
  Outcome outcome;
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {126, 0, "pipe failed\n"};
  const int in = input_file(input);
  const std::int64_t deadline = now_ns(CLOCK_MONOTONIC) + std::int64_t{deadline_ms} * 1'000'000;
  const pid_t child = ::fork();
  if (child == 0) become_shell(command, in, pipe[1]);
  ::close(pipe[1]);
  ::close(in);
  if (child < 0) {
    ::close(pipe[0]);
    return {126, 0, "fork failed\n"};
  }
  collect(outcome, child, pipe[0], deadline);
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

Outcome push(const std::string& path, const std::string& data) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << data << std::flush;
  return file ? Outcome{} : Outcome{1, 0, "cannot write " + path + "\n"};
}

Outcome pull(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {1, 0, "cannot read " + path + "\n"};
  std::ostringstream text;
  text << file.rdbuf();
  Outcome outcome;
  keep(outcome, text.view().data(), text.view().size());
  return outcome;
}

[[noreturn]] void serve_exec() {
  Port port("org.clockmend.test.exec");
  for (;;) {
    std::istringstream header(port.line());
    std::string verb;
    std::string id;
    long deadline_ms = 0;
    std::size_t arg_bytes = 0;
    std::size_t data_bytes = 0;
    header >> verb >> id >> deadline_ms >> arg_bytes >> data_bytes;
    if (!header || arg_bytes > kMaxRequest || data_bytes > kMaxRequest) continue;
    const std::string arg = port.bytes(arg_bytes);
    const std::string data = port.bytes(data_bytes);
    Outcome outcome{127, 0, "unknown verb " + verb + "\n"};
    if (verb == "exec") outcome = run(arg, data, deadline_ms);
    if (verb == "push") outcome = push(arg, data);
    if (verb == "pull") outcome = pull(arg);
    std::ostringstream reply;
    reply << id << ' ' << outcome.code << ' ' << outcome.flags << ' ' << outcome.output.size() << '\n';
    port.put(reply.str() + outcome.output);
  }
}

}  // namespace

int main() {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) return 1;
    serve_observer();
  }
  if (child < 0) return 1;
  serve_exec();
}
