#include "tests/integration/ntp/real_servers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/integration/ntp/sockets.hpp"

namespace clockmend::tests {

namespace {

const std::string kPrograms = CLOCKMEND_NTP_SERVERS;  // where unpack-servers.sh puts them
constexpr std::chrono::seconds kPatience{60};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

/// The stratum of a synchronized server's answer, 0 if there is none within a second.
int asked_stratum(const std::string& address) {
  const int fd = connected_socket(address, 123);
  if (fd < 0) return 0;
  std::array<unsigned char, 48> packet{0x23};
  packet[47] = 1;  // some transmit time
  pollfd waiting{fd, POLLIN, 0};
  const bool answered = ::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) == 48 && ::poll(&waiting, 1, 1000) == 1 &&
                        ::recv(fd, packet.data(), packet.size(), MSG_DONTWAIT) == 48;
  ::close(fd);
  return !answered || packet[0] >> 6U == 3U ? 0 : packet[1];
}

}  // namespace

Program::Program(const std::vector<std::string>& command, const std::string& log) {
  std::vector<std::string> all = {"setpriv", "--pdeathsig", "KILL", "--bounding-set=-sys_time", "--inh-caps=-sys_time", "--"};
  all.insert(all.end(), command.begin(), command.end());
  std::vector<char*> arguments;
  for (auto& word : all) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  if (::posix_spawnp(&pid_, "setpriv", &actions, nullptr, arguments.data(), environ) != 0) pid_ = -1;
  ::posix_spawn_file_actions_destroy(&actions);
}

Program::~Program() {
  if (running()) ::kill(pid_, SIGKILL);
  wait();
}

bool Program::running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  pid_ = -1;
  return false;
}

int Program::wait() {
  int status = 0;
  if (pid_ >= 0 && ::waitpid(pid_, &status, 0) == pid_) code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  pid_ = -1;
  return code_;
}

RealServers::RealServers() {
  std::string name = std::filesystem::temp_directory_path() / "clockmend-ntp-XXXXXX";
  if (::mkdtemp(name.data()) != nullptr) folder_ = name;
}

RealServers::~RealServers() {
  programs_.clear();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string RealServers::unpack() {
  std::filesystem::create_directories(kPrograms);
  const auto log = kPrograms + "/log-" + std::to_string(::getpid());
  const int code = Program({CLOCKMEND_NTP_UNPACK, kPrograms}, log).wait();
  const auto said = text_of(log);
  std::filesystem::remove(log);
  return code == 0 ? "" : said.empty() ? "cannot unpack, code " + std::to_string(code) : said;
}

std::string RealServers::start(const std::string& name, const std::string& address, int stratum, std::vector<std::string> command,
                               std::string config) {
  const auto file = folder_ + "/" + name + "-" + address;
  command.push_back(file + ".conf");
  std::ofstream(file + ".conf") << config;
  programs_.push_back(std::make_unique<Program>(command, file + ".log"));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (programs_.back()->running() && std::chrono::steady_clock::now() < deadline) {
    if (asked_stratum(address) == stratum) return "";
    ::poll(nullptr, 0, 100);
  }
  return name + (programs_.back()->running() ? " does not serve: " : " ended: ") + text_of(file + ".log");
}

std::string RealServers::chronyd(const std::string& address, int stratum) {
  return start("chronyd", address, stratum, {kPrograms + "/usr/sbin/chronyd", "-4", "-x", "-d", "-u", "root", "-f"},
               "local stratum " + std::to_string(stratum) + "\nallow all\nport 123\ncmdport 0\nbindcmdaddress /\nbindaddress " + address +
                   "\npidfile " + folder_ + "/" + address + ".pid\n");
}

std::string RealServers::ntpd(const std::string& address, int stratum) {
  // Orphan mode makes a server of one that has none itself; "disable kernel" spares it the system calls it may not make. Its
  // default for the loopback addresses drops what comes often, and these tests ask often.
  return start("ntpd", address, stratum, {kPrograms + "/usr/sbin/ntpd", "-n", "-p", folder_ + "/" + address + ".pid", "-c"},
               "disable kernel\ntos orphan " + std::to_string(stratum) +
                   " orphanwait 1\nrestrict default\nrestrict 127.0.0.1\nrestrict ::1\ninterface ignore wildcard\ninterface ignore "
                   "all\ninterface listen " +
                   address + "\n");
}

}  // namespace clockmend::tests
