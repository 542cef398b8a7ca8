namespace Cluster.Grains.Repository.Files;

internal enum FileKind
{
    Regular,
    Directory,
    Link,

    /// <summary>A pipe, socket or device: opening one may block for ever.</summary>
    Other,
}
