// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What apt 2.6.1 of Debian 12 printed under LC_ALL=C, word for word but for the mirror.
namespace las::test::recorded {

inline constexpr const char* kPolicy = R"(jq:
  Installed: 1.6-2.1+deb12u1
  Candidate: 1.6-2.1+deb12u3
  Version table:
     1.6-2.1+deb12u3 500
        500 http://mirror.example/debian-security bookworm-security/main amd64 Packages
     1.6-2.1+deb12u2 500
        500 http://mirror.example/debian bookworm/main amd64 Packages
 *** 1.6-2.1+deb12u1 100
        100 /var/lib/dpkg/status
mail-transport-agent:
  Installed: (none)
  Candidate: (none)
  Version table:
tree:
  Installed: (none)
  Candidate: 2.1.0-1
  Version table:
     2.1.0-1 500
        500 http://mirror.example/debian bookworm/main amd64 Packages
)";

inline constexpr const char* kInstallTree = R"(Reading package lists...
Building dependency tree...
Reading state information...
The following NEW packages will be installed:
  tree
0 upgraded, 1 newly installed, 0 to remove and 120 not upgraded.
Inst tree (2.1.0-1 Debian:12.15/oldstable [amd64])
Conf tree (2.1.0-1 Debian:12.15/oldstable [amd64])
)";

inline constexpr const char* kInstallNothing = R"(Reading package lists...
Building dependency tree...
Reading state information...
Skipping jq, it is already installed and upgrade is not set.
0 upgraded, 0 newly installed, 0 to remove and 120 not upgraded.
)";

inline constexpr const char* kInstallFour = R"(Reading package lists...
Building dependency tree...
Reading state information...
The following additional packages will be installed:
  libjemalloc2 liblzf1 redis-tools
Suggested packages:
  ruby-redis
The following NEW packages will be installed:
  libjemalloc2 liblzf1 redis-server redis-tools
0 upgraded, 4 newly installed, 0 to remove and 120 not upgraded.
Inst libjemalloc2 (5.3.0-1 Debian:12.15/oldstable [amd64])
Inst liblzf1 (3.6-3 Debian:12.15/oldstable [amd64])
Inst redis-tools (5:7.0.15-1~deb12u10 Debian-Security:12/oldstable-security [amd64])
Inst redis-server (5:7.0.15-1~deb12u10 Debian-Security:12/oldstable-security [amd64])
Conf libjemalloc2 (5.3.0-1 Debian:12.15/oldstable [amd64])
Conf liblzf1 (3.6-3 Debian:12.15/oldstable [amd64])
Conf redis-tools (5:7.0.15-1~deb12u10 Debian-Security:12/oldstable-security [amd64])
Conf redis-server (5:7.0.15-1~deb12u10 Debian-Security:12/oldstable-security [amd64])
)";

inline constexpr const char* kUpgradeTwo = R"(Reading package lists...
Building dependency tree...
Reading state information...
The following additional packages will be installed:
  libjq1
The following packages will be upgraded:
  jq libjq1
2 upgraded, 0 newly installed, 0 to remove and 118 not upgraded.
Inst jq [1.6-2.1+deb12u1] (1.6-2.1+deb12u3 Debian-Security:12/oldstable-security [amd64]) []
Inst libjq1 [1.6-2.1+deb12u1] (1.6-2.1+deb12u3 Debian-Security:12/oldstable-security [amd64])
Conf jq (1.6-2.1+deb12u3 Debian-Security:12/oldstable-security [amd64])
Conf libjq1 (1.6-2.1+deb12u3 Debian-Security:12/oldstable-security [amd64])
)";

inline constexpr const char* kInstallRemoves = R"(Reading package lists...
Building dependency tree...
Reading state information...
The following packages will be REMOVED:
  packagekit-tools systemd-sysv
The following NEW packages will be installed:
  initscripts sysvinit-core
0 upgraded, 2 newly installed, 2 to remove and 120 not upgraded.
Remv packagekit-tools [1.2.6-5+deb12u1]
Remv systemd-sysv [252.39-1~deb12u2]
Inst initscripts (3.06-4 Debian:12.15/oldstable [all])
Inst sysvinit-core (3.06-4 Debian:12.15/oldstable [amd64])
)";

inline constexpr const char* kRemoveTree = R"(Reading package lists...
Building dependency tree...
Reading state information...
The following packages will be REMOVED:
  tree
0 upgraded, 0 newly installed, 1 to remove and 120 not upgraded.
Remv tree [2.1.0-1]
)";

inline constexpr const char* kRemoveLibrary = R"(Reading package lists...
Building dependency tree...
Reading state information...
The following packages will be REMOVED:
  jq libjq1 yq
0 upgraded, 0 newly installed, 3 to remove and 118 not upgraded.
Remv yq [3.1.0-3]
Remv jq [1.6-2.1+deb12u1]
Remv libjq1 [1.6-2.1+deb12u1]
)";

inline constexpr const char* kConnectionRefused =
    R"(Err:1 http://mirror.example/debian bookworm/main amd64 tree amd64 2.1.0-1
  Could not connect to 127.0.0.1:1 (127.0.0.1). - connect (111: Connection refused)
E: Failed to fetch http://mirror.example/debian/pool/main/t/tree/tree_2.1.0-1_amd64.deb  Could not connect to 127.0.0.1:1 (127.0.0.1). - connect (111: Connection refused)
E: Some files failed to download
)";

inline constexpr const char* kUnknownHost =
    R"(Err:1 http://mirror.example/debian bookworm/main amd64 tree amd64 2.1.0-1
  Could not resolve 'nosuch.invalid'
E: Failed to fetch http://mirror.example/debian/pool/main/t/tree/tree_2.1.0-1_amd64.deb  Could not resolve 'nosuch.invalid'
E: Some files failed to download
)";

inline constexpr const char* kLocked =
    R"(E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 9173 (python3)
E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?
)";

}  // namespace las::test::recorded
