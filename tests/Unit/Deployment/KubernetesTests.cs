using System.Globalization;
using Cluster.Silo.Options;
using Cluster.Tests.Common;
using k8s.Models;
using Xunit;

namespace Cluster.Unit.Deployment;

/// <summary>What deploy/kubernetes says is in the API's form, fits itself and the program, and asks for no more than it needs.</summary>
public sealed class KubernetesTests
{
    [Fact]
    public void Files_AreAllListedAndInTheFormOfTheApi()
    {
        var files = Directory.EnumerateFiles(KubernetesFiles.Base, "*.yaml").Select(Path.GetFileName).Where(static name => name != "kustomization.yaml");

        Assert.Equal(files.Order(StringComparer.Ordinal), KubernetesFiles.Resources().Order(StringComparer.Ordinal));
        Assert.True(KubernetesFiles.Objects.Count > 15);
        Assert.Empty(KubernetesFiles.Of<V1Secret>());
    }

    [Theory]
    [InlineData("replicas: 3", "replica: 3")]
    [InlineData("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true")]
    [InlineData("periodSeconds: 2", "periodSeconds: soon")]
    public void AMistakeInAFile_IsFound(string right, string wrong)
    {
        var text = File.ReadAllText(Path.Combine(KubernetesFiles.Base, "silo.yaml"));
        Assert.Contains(right, text, StringComparison.Ordinal);

        Assert.ThrowsAny<Exception>(() => KubernetesFiles.Parse(text.Replace(right, wrong, StringComparison.Ordinal)).ToList());
    }

    [Theory]
    [InlineData("base")]
    [InlineData("overlays/small")]
    public async Task Kustomize_PutsAllTogether(string folder)
    {
        Requires.Kubectl();

        var built = KubernetesFiles.Parse(await Command.RunAsync("kubectl", ["kustomize", Path.Combine(TestPaths.Root, "deploy", "kubernetes", folder)])).ToList();

        Assert.Equal(KubernetesFiles.Objects.Select(static one => $"{one.Kind} {one.Metadata.Name}").Order(), built.Select(static one => $"{one.Kind} {one.Metadata.Name}").Order());
        Assert.All(built.Where(static one => one is not V1Namespace), static one => Assert.Equal("cluster", one.Metadata.NamespaceProperty));
    }

    [Fact]
    public void Containers_MayDoNothingAndHaveTheirProbesAndLimits()
    {
        var pods = KubernetesFiles.Pods();
        Assert.Equal(["gateway", "redis", "silo"], pods.Select(static pod => pod.Name).Order());
        foreach (var (name, pod) in pods)
        {
            var spec = pod.Spec;
            Assert.True(spec.SecurityContext is { RunAsNonRoot: true, SeccompProfile.Type: "RuntimeDefault" }, name);
            Assert.Equal(name == "redis" ? 999 : 5000, spec.SecurityContext.RunAsUser);
            Assert.Equal((false, false), (spec.AutomountServiceAccountToken, spec.EnableServiceLinks));
            Assert.Equal((null, null, null), (spec.HostNetwork, spec.HostPID, spec.HostIPC));
            Assert.Equal(name, spec.ServiceAccountName);
            Assert.False(KubernetesFiles.Of<V1ServiceAccount>().Single(account => account.Metadata.Name == name).AutomountServiceAccountToken);
            var container = Assert.Single(spec.Containers);
            Assert.True(container.SecurityContext is { AllowPrivilegeEscalation: false, ReadOnlyRootFilesystem: true, Privileged: null, RunAsUser: null }, name);
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.Null(container.SecurityContext.Capabilities.Add);
            Assert.Equal(container.Resources.Requests["memory"], container.Resources.Limits["memory"]);
            Assert.True(container.Resources.Requests.ContainsKey("cpu"), name);
            Assert.All(new[] { container.StartupProbe, container.ReadinessProbe, container.LivenessProbe }, Assert.NotNull);
            Assert.All(spec.Volumes, volume => Assert.True((volume.HostPath ?? (object?)volume.ConfigMap) is null, volume.Name));
            Assert.All(
                container.VolumeMounts.Where(static mount => mount.MountPath is not ("/tmp" or "/data")), static mount => Assert.True(mount.ReadOnlyProperty, mount.Name));
            Assert.Equal(container.VolumeMounts.Select(static mount => mount.Name).Where(static mount => mount != "data").Order(), spec.Volumes.Select(static volume => volume.Name).Order());
        }
    }

    [Fact]
    public void Ports_EachIsInAPolicy_AndNoPolicyOpensAnother()
    {
        var policies = KubernetesFiles.Of<V1NetworkPolicy>();
        var closed = policies.Single(static policy => policy.Spec.Ingress is null && policy.Spec.Egress is null);
        Assert.Equal(["Ingress", "Egress"], closed.Spec.PolicyTypes);
        Assert.True((closed.Spec.PodSelector.MatchLabels ?? new Dictionary<string, string>()).Count == 0 && closed.Spec.PodSelector.MatchExpressions is null);
        foreach (var (name, pod) in KubernetesFiles.Pods())
        {
            var open = policies.Where(policy => policy.Spec.PodSelector.Takes(pod)).SelectMany(static policy => policy.Spec.Ingress ?? [])
                .SelectMany(static rule =>
                {
                    Assert.NotEmpty(rule.FromProperty);
                    return rule.Ports;
                })
                .Select(static port => int.Parse(port.Port.Value, CultureInfo.InvariantCulture)).Distinct().Order();

            Assert.Equal(pod.Spec.Containers[0].Ports.Select(static port => port.ContainerPort).Order(), open);
            var egress = policies.Where(policy => policy.Spec.PodSelector.Takes(pod)).SelectMany(static policy => policy.Spec.Egress ?? []).ToList();
            Assert.Equal(name == "redis" ? [] : [53, 53, 6379, 8002], egress.SelectMany(static rule => rule.Ports).Select(static port => int.Parse(port.Port.Value, CultureInfo.InvariantCulture)).Order());
            Assert.All(egress, static rule => Assert.NotEmpty(rule.To));
        }
    }

    [Fact]
    public void GracePeriod_IsLongerThanAStop()
    {
        foreach (var (name, pod) in KubernetesFiles.Pods().Where(static pod => pod.Name != "redis"))
        {
            var settings = Settings(pod);
            var stop = int.Parse(settings["Cluster__StopSeconds"]!, CultureInfo.InvariantCulture);
            var drain = int.Parse(settings.GetValueOrDefault("Cluster__DrainSeconds") ?? "0", CultureInfo.InvariantCulture);
            var readiness = pod.Spec.Containers[0].ReadinessProbe;

            Assert.True(pod.Spec.TerminationGracePeriodSeconds >= stop + drain + 10, name);
            Assert.True(name == "silo" || drain > readiness.PeriodSeconds * readiness.FailureThreshold, "a gateway that stops serves on until its readiness has been asked");
        }
    }

    [Fact]
    public void Settings_AreTakenByTheProgramBeyondLoopback_AndTheirFilesAreMounted()
    {
        foreach (var (_, pod) in KubernetesFiles.Pods().Where(static pod => pod.Name != "redis"))
        {
            var container = pod.Spec.Containers[0];
            var settings = Settings(pod).ToDictionary(static pair => pair.Key.Replace("__", ":", StringComparison.Ordinal), static pair => pair.Value ?? "10.0.0.1");
            settings["Cluster:Role"] = Assert.Single(container.Args);
            settings["Cluster:Bind"] = "0.0.0.0";

            // Without --insecure: there is TLS, and a way to know clients.
            Assert.Empty(ServeConfiguration.Read(new GivenOptions(settings!, []), "none.json").Mistakes);
            Assert.All(
                settings.Values.Where(static value => value.StartsWith('/')),
                value => Assert.Contains(container.VolumeMounts, mount => value.StartsWith(mount.MountPath + "/", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void ServicesBudgetsAndScaling_MeanPodsAndPortsThatThereAre()
    {
        var pods = KubernetesFiles.Pods();
        foreach (var service in KubernetesFiles.Of<V1Service>())
        {
            var pod = pods.Single(pod => new V1LabelSelector { MatchLabels = service.Spec.Selector }.Takes(pod.Pod)).Pod;
            Assert.Subset(
                pod.Spec.Containers[0].Ports.Select(static port => (port.Name, port.ContainerPort)).ToHashSet(),
                service.Spec.Ports.Select(static port => (port.TargetPort.Value, port.Port)).ToHashSet());
        }

        Assert.Equal(["gateway", "silo"], KubernetesFiles.Of<V1PodDisruptionBudget>().Select(budget => pods.Single(pod => budget.Spec.Selector.Takes(pod.Pod)).Name).Order());
        var scaler = Assert.Single(KubernetesFiles.Of<V2HorizontalPodAutoscaler>());
        Assert.Equal(("Deployment", "gateway"), (scaler.Spec.ScaleTargetRef.Kind, scaler.Spec.ScaleTargetRef.Name));
        Assert.True(scaler.Spec.MinReplicas >= 2);
        Assert.All(KubernetesFiles.Of<V1Deployment>(), deployment =>
        {
            Assert.True(deployment.Spec.Selector.Takes(deployment.Spec.Template));
            Assert.Equal("0", deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value);
        });
    }

    private static Dictionary<string, string?> Settings(V1PodTemplateSpec pod)
    {
        var container = pod.Spec.Containers[0];
        var map = KubernetesFiles.Of<V1ConfigMap>().Single(map => map.Metadata.Name == container.EnvFrom[0].ConfigMapRef.Name);
        var settings = map.Data.ToDictionary(static pair => pair.Key, static pair => (string?)pair.Value);
        foreach (var variable in container.Env)
        {
            settings[variable.Name] = variable.Value;
        }

        return settings;
    }
}
