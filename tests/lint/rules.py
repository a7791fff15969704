"""What each room may include and call. The first row whose folder (or file) holds a source file is its row.

project: prefixes of the repository that may be included, besides the room itself.
outside: headers beyond the C++ standard library; a trailing * stands for anything.
calls:   True where system calls, clocks and the environment may be touched.
own:     True where one file pair is one unit: it may include only itself from its own folder.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    place: str
    project: tuple = ()
    outside: tuple = ()
    calls: bool = False
    own: bool = False


CORE = ("agent/core/",)
ASIO = ("asio.hpp", "asio/*")
LOG = ("spdlog/*",)
CLI11 = ("CLI/CLI.hpp",)

ROOMS = (
    Room("agent/core/"),
    Room("agent/engine/", CORE),
    Room("agent/os/", CORE, ASIO + ("ares.h", "libudev.h", "systemd/*", "kernel headers"), calls=True),
    Room("agent/wire/", CORE, ("nlohmann/json.hpp",)),
    Room("agent/channel/", CORE + ("agent/wire/",), ASIO),
    Room("agent/config/", CORE, ("toml++/toml.h",)),
    Room("agent/app/", CORE + ("agent/", "probes/", "correctors/"), ASIO + LOG),
    Room("agent/main.cpp", ("agent/app/", "agent/config/", "agent/core/", "agent/os/"), CLI11 + LOG, calls=True),
    Room("agent/cli/main.cpp", ("agent/cli/", "agent/core/", "agent/host/", "agent/os/"), CLI11 + LOG, calls=True),
    Room("agent/cli/", CORE + ("agent/wire/", "agent/config/", "agent/host/", "correctors/backends/commands.hpp", "correctors/time_daemon/drivers.hpp", "correctors/time_daemon/discovery.hpp"), CLI11 + LOG),
    Room("agent/host/libvirt/main.cpp", ("agent/host/", "agent/core/"), ("kernel headers",), calls=True),
    Room("agent/host/libvirt/", CORE + ("agent/host/",), ("libvirt/*", "libxml/*")),
    Room("agent/host/main.cpp", ("agent/host/", "agent/core/", "agent/os/"), ASIO + CLI11 + LOG, calls=True),
    Room("agent/host/", CORE + ("agent/wire/",), ASIO + CLI11 + LOG),
    Room("probes/ntp/", CORE),
    Room("probes/", CORE, own=True),
    Room("correctors/backends/", CORE),
    Room("correctors/time_daemon/", CORE),
    Room("correctors/", CORE, own=True),
)

# Never included by anyone outside these rooms, whatever their row says.
PRIVATE_HEADERS = {"agent/wire/json.hpp": "agent/wire/", "agent/wire/fields.hpp": "agent/wire/"}

BANNED = (
    (r"_clock::now\s*\(", "reads a clock: time comes through core/ports/clock_reader.hpp or the Scheduler"),
    (r"\b(?:u|nano|clock_nano)?sleep(?:_for|_until)?\s*\(", "sleeps: waiting is a re-armed timer"),
    (r"\b(?:std::)?system\s*\(\s*[\"a-z]", "runs a shell"),
    (r"\bpopen\s*\(", "runs a shell"),
    (r"\bgetenv\s*\(", "reads the environment: settings come from the configuration"),
    (r"(?<![\w>:)\]])::[a-z_]\w*\s*\(", "calls the operating system: that is agent/os's"),
)

MUTABLE_GLOBALS = (
    r"^(?:static|inline|thread_local)\s+(?!const\b|constexpr\b|consteval\b|constinit const\b)[\w:<>,\s*&]+\s+\w+\s*(?:=[^=].*|\{.*\})?;",
    r"^\s+static\s+(?!const\b|constexpr\b|consteval\b)[\w:<>,\s*&]+\s+\w+\s*(?:=[^=].*|\{.*\})?;",
    r"^\s+(?:static\s+)?thread_local\b",
)

# Helpers that units of one folder share; they are neither probes nor correctors themselves.
SHARED = ("probes/raw_alarm.hpp",)

MAX_FILE = 400
MAX_HEADER = 150
MAX_FUNCTION = 40       # lines between the braces
MAX_TEST_FUNCTION = 100 # tables of cases

SOURCE_ROOTS = ("agent", "probes", "correctors")
CODE_ROOTS = SOURCE_ROOTS + ("tests",)
README_ROOTS = CODE_ROOTS + ("packaging", "deploy")

STANDARD_HEADERS = frozenset("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits clocale
cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib
cstring ctime cuchar cwchar cwctype deque exception execution filesystem forward_list fstream functional future
initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new
numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex
source_location span sstream stack stdexcept stop_token streambuf string string_view syncstream system_error thread tuple
type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
""".split())
