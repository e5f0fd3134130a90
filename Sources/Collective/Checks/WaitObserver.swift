/// Is told of a rank's long waits for the others, on the thread that waits.
public protocol WaitObserver: AnyObject {
  /// A wait has outlasted a short spin, or what is waited for has moved.
  func waits()
  /// The rank goes on.
  func ended()
}
