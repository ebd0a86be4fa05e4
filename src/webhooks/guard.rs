//! Where no webhook may go: into our own network. Addresses are checked when a connection is made, after the name was
//! resolved, and the connection goes to the address that was checked; a name that changes its mind changes nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Everything that is not a public host's: loopback, private, link-local (with the clouds' metadata), shared, reserved,
/// for documentation, multicast, broadcast.
const REFUSED_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];
/// Public hosts of IPv6 are in here …
const GLOBAL_V6: Ipv6Net = v6(0x2000 << 48, 3);
/// … but not in here: protocols' own (ORCHID, benchmarks, port control), documentation.
const REFUSED_V6: [Ipv6Net; 6] = [
    v6(0x2001_0001 << 32, 32),
    v6(0x2001_0002 << 32, 48),
    v6(0x2001_0010 << 32, 28),
    v6(0x2001_0020 << 32, 28),
    v6(0x2001_0db8 << 32, 32),
    v6(0x3fff << 48, 20),
];

const fn v4(address: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// `high` is the upper half of the address; the lower is zero.
const fn v6(high: u64, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_bits((high as u128) << 64), prefix)
}

/// Decides which addresses may be connected to.
#[derive(Debug, Clone, Default)]
pub struct Guard(Arc<[IpNet]>);

/// No address that a host has may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused: the host's address is not public")
    }
}

impl std::error::Error for Refused {}

impl Guard {
    /// A guard that lets connections into these networks pass, and to public addresses.
    pub fn allowing(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Whether a connection may go to `address`.
    pub fn lets_pass(&self, address: IpAddr) -> bool {
        let embedded = match address {
            IpAddr::V4(_) => Vec::new(),
            IpAddr::V6(address) => embedded(address),
        };
        let allowed = |address: &IpAddr| self.0.iter().any(|net| net.contains(address));
        if allowed(&address) {
            return true;
        }
        match address {
            IpAddr::V4(address) => is_public(address),
            IpAddr::V6(_) if !embedded.is_empty() => embedded
                .iter()
                .all(|inner| is_public(*inner) || allowed(&IpAddr::V4(*inner))),
            IpAddr::V6(address) => {
                GLOBAL_V6.contains(&address) && !REFUSED_V6.iter().any(|net| net.contains(&address))
            }
        }
    }

    /// Refuses a URL whose host is written as an address. Names are looked at when they are resolved.
    ///
    /// # Errors
    /// [`Refused`], for the addresses that [`Guard::lets_pass`] refuses.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        let passes = match url.host() {
            Some(Host::Ipv4(address)) => self.lets_pass(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => self.lets_pass(IpAddr::V6(address)),
            Some(Host::Domain(name)) if is_this_machine(name) => {
                self.lets_pass(IpAddr::V4(Ipv4Addr::LOCALHOST))
                    || self.lets_pass(IpAddr::V6(Ipv6Addr::LOCALHOST))
            }
            Some(Host::Domain(_)) => true,
            None => false,
        };
        passes.then_some(()).ok_or(Refused)
    }
}

/// Names that lead to this machine whatever a resolver says, or whether it knows them.
fn is_this_machine(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

fn is_public(address: Ipv4Addr) -> bool {
    !REFUSED_V4.iter().any(|net| net.contains(&address))
}

/// The IPv4 addresses that an IPv6 address leads to: mapped, compatible, through NAT64, 6to4 and Teredo.
fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let parts = address.segments();
    let inner = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    match parts {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            vec![inner(high, low)]
        }
        [0x2002, high, low, ..] => vec![inner(high, low)],
        // The relay it goes through, and the host behind it, which is written inverted.
        [0x2001, 0, high, low, .., last_but_one, last] => {
            vec![inner(high, low), inner(!last_but_one, !last)]
        }
        _ => Vec::new(),
    }
}

/// Resolves names for the HTTP client, and gives it only addresses that may be connected to.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found
                .filter(|address| guard.lets_pass(address.ip()))
                .collect();
            match public.is_empty() {
                true => Err(Refused.into()),
                false => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_is_refused_in_every_spelling() {
        let guard = Guard::default();
        for host in [
            "127.0.0.1",
            "127.1",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "hooks.localhost",
            "0x7f.1",
            "2130706433",
            "0",
            "10.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2002:c0a8:101::1]",
            "[2001:0:a00:1::]",
            "[2001:0:808:808:0:0:80ff:fffe]",
            "[100::1]",
            "[4000::1]",
        ] {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert_eq!(guard.check(&url), Err(Refused), "{host}");
        }
    }

    #[test]
    fn what_is_public_passes() {
        let guard = Guard::default();
        for host in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:4700::1111]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::8.8.8.8]",
            "[2002:808:808::1]",
            "example.com",
        ] {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert_eq!(guard.check(&url), Ok(()), "{host}");
        }
    }

    #[test]
    fn what_is_allowed_passes_and_its_neighbours_do_not() {
        let guard = Guard::allowing(&[
            "10.1.0.0/16".parse().unwrap(),
            "fd00:1::/32".parse().unwrap(),
        ]);
        let passes = |address: &str| guard.lets_pass(address.parse().unwrap());
        assert!(passes("10.1.2.3") && passes("::ffff:10.1.2.3") && passes("fd00:1::1"));
        assert!(
            !passes("10.2.0.1")
                && !passes("::ffff:10.2.0.1")
                && !passes("fd00:2::1")
                && !passes("127.0.0.1")
        );
    }
}
