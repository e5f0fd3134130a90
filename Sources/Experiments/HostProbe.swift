import Foundation

/// Asks hosts whether they answer, by the way on which `mpirun` reaches them.
public struct HostProbe {
  /// The agent and its options.
  private let agent: [String]
  private let environment: [String: String]
  /// Seconds that a host has to answer.
  private let limit: Double

  /// - Parameter environment: may name the agent, as `OMPI_MCA_plm_rsh_agent`; else it is `ssh`.
  public init(environment: [String: String], limit: Double = 10) {
    self.environment = environment
    self.limit = limit
    let named =
      environment["OMPI_MCA_plm_rsh_agent"] ?? environment["OMPI_MCA_orte_rsh_agent"] ?? "ssh"
    // Alternatives have colons between them.
    let alternatives = named.split(separator: ":").map {
      $0.split(separator: " ").map(String.init)
    }
    var agent = alternatives.first { !$0.isEmpty } ?? ["ssh"]
    if agent == ["ssh"] {
      agent += ["-o", "BatchMode=yes", "-o", "ConnectTimeout=\(Int(limit.rounded(.up)))"]
    }
    self.agent = agent
  }

  /// Those of `hosts` that do not answer in time. All are asked at once.
  public func silent(among hosts: [String]) -> [String] {
    let null = open("/dev/null", O_WRONLY)
    defer { close(null) }
    var own = Set(["localhost", "127.0.0.1", "::1"])
    let name = ProcessInfo.processInfo.hostName
    own.formUnion([name, String(name.prefix { $0 != "." })])
    let questions = hosts.filter { !own.contains($0) }.map { host in
      (
        host,
        try? ChildProcess(
          "/usr/bin/env", ["env"] + agent + [host, "true"], environment: environment,
          output: null, errors: null)
      )
    }
    let deadline = DispatchTime.now() + limit
    while questions.contains(where: { $0.1?.poll() == nil && $0.1 != nil }),
      DispatchTime.now() < deadline
    {
      usleep(20_000)
    }
    return questions.filter { _, question in
      guard let question else { return true }
      if question.poll() == nil {
        kill(-question.id, SIGKILL)
        question.wait()
        return true
      }
      return question.poll() != .exit(0)
    }.map(\.0)
  }
}
